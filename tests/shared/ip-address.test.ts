import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isIpAddress } from "../../shared/ip-address.ts";

describe("isIpAddress", () => {
  it.each([
    "203.0.113.7",
    "0.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "1::",
    "2001:db8::1",
    "2001:DB8:0:0:8:800:200C:417A",
  ])("accepts %s", (text) => expect(isIpAddress(text)).toBe(true));

  it.each(["::ffff:192.0.2.128", "64:ff9b::192.0.2.33", "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:7::"])(
    "accepts %s",
    (text) => expect(isIpAddress(text)).toBe(true),
  );

  it.each(
    (
      "|unknown|<b>x</b>|203.0.113|203.0.113.256|203.0.113.07|203.0.113.7.|203.0.113.7:443|203.0.113.7, 10.0.0.1|[::1]|[::1]:443|" +
      "fe80::1%eth0|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1::2::3|:1|1:|:::|::12345|::g|192.0.2.1::|::192.0.2.1:1|" +
      "1:2:3:4:5:6:7:192.0.2.1| 203.0.113.7|203.0.113.7\n|0x7f.1|２03.0.113.7"
    ).split("|"),
  )("refuses %j", (text) => expect(isIpAddress(text)).toBe(false));

  it("refuses a long text", () => expect(isIpAddress(`${"1:".repeat(3_000)}1`)).toBe(false));

  it("agrees with Node on texts that look like addresses", () => {
    const part = fc.constantFrom(..."0 1 12 255 256 01 ffff 12345 db8 : :: . , g".split(" "), "");
    const text = fc.array(part, { maxLength: 18 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(text, fc.ipV4(), fc.ipV6()), (one) => {
        expect(isIpAddress(one), one).toBe(isIP(one) > 0);
      }),
      { numRuns: 20_000 },
    );
  });
});
