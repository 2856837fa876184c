import { describe, expect, it } from "vitest";
import { baseUrl, isLoopback, isSecureUrl } from "../../shared/base-url.ts";

describe("a base URL has one spelling", () => {
  it.each([
    ["https://audit.example.com", "https://audit.example.com"],
    [" HTTPS://Audit.Example.com:443// \n", "https://audit.example.com"],
    ["http://LOCALHOST:80/", "http://localhost"],
    ["https://a.example:8443/Base/Path/", "https://a.example:8443/Base/Path"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["http://[0:0:0:0:0:0:0:1]:8787/", "http://[::1]:8787"],
  ])("%j", (text, spelling) => {
    expect(baseUrl(text)).toBe(spelling);
    expect(baseUrl(spelling)).toBe(spelling);
  });

  it.each([
    "",
    "audit.example.com",
    "ftp://a.example",
    "javascript:alert(1)",
    "https://",
    "https:a.example",
    "https://a b.example",
    "https://a.example/b c",
    "https://ada@a.example",
    "https://ada:pw@a.example",
    "https://a.example/?",
    "https://a.example/?x=1",
    "https://a.example/#",
    "https://*.a.example",
    "https://a.example;https://b.example",
    "https://a'.example",
    "https://a..example",
  ])("%j has none", (text) => {
    expect(baseUrl(text)).toBeUndefined();
  });
});

const LOOPBACK = ["localhost", "LOCALHOST", "api.localhost", "127.0.0.1", "127.1.2.3", "2130706433", "[::1]"];
const ELSEWHERE = [
  "a.example",
  "localhost.example",
  "notlocalhost",
  "128.0.0.1",
  "127.0.0.1.example",
  "[::2]",
  "0.0.0.0",
];

describe("a secret may be sent by https, or by http to this machine", () => {
  it.each(LOOPBACK)("%s is this machine", (host) => {
    expect([isLoopback(`http://${host}:8080/`), isSecureUrl(`http://${host}`)]).toEqual([true, true]);
  });

  it.each(ELSEWHERE)("%s is not", (host) => {
    expect([isLoopback(`http://${host}/`), isSecureUrl(`http://${host}`)]).toEqual([false, false]);
    expect(isSecureUrl(`https://${host}`)).toBe(true);
  });

  it.each(["https://ada@a.example", "https://:pw@a.example/hook", "http://ada:pw@localhost"])(
    "%s is not, because the runtime drops the user and the password",
    (url) => {
      expect(isSecureUrl(url)).toBe(false);
    },
  );

  it.each(["ftp://localhost", "ws://127.0.0.1", "localhost", ""])("%j is no such URL", (text) => {
    expect(isSecureUrl(text)).toBe(false);
  });
});
