/** The database of a Durable Object as SQL text, and back. */

type SqlValue = string | number | null;

/** The part of a Durable Object's SQLite that a dump needs. */
interface Database {
  exec(query: string): { toArray(): Record<string, unknown>[] };
}

/** Statements that make the same tables with the same rows, one a line. Tables of the platform (`_cf_…`) are left out. */
export function dump(database: Database): string {
  const objects = database
    .exec("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, name")
    .toArray()
    .filter(({ name }) => !/^(_cf_|sqlite_)/.test(String(name)));
  const tables = objects.filter(({ type }) => type === "table").map(({ name }) => String(name));
  return [
    ...objects.map(({ sql }) => `${String(sql).replaceAll(/\s+/g, " ")};`),
    ...tables.flatMap((table) => rowsOf(database, table)),
    "",
  ].join("\n");
}

/** Replaces what a database holds with a dump. */
export function restore(database: Database, text: string): void {
  const objects = database.exec("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL").toArray();
  for (const { type, name } of objects) {
    if (type === "table" && !/^(_cf_|sqlite_)/.test(String(name))) database.exec(`DROP TABLE ${String(name)}`);
  }
  database.exec(text);
}

function rowsOf(database: Database, table: string): string[] {
  return database
    .exec(`SELECT * FROM ${table}`)
    .toArray()
    .map((row) => {
      const columns = Object.keys(row).filter((name) => !isGenerated(table, name));
      const values = columns.map((name) => literal(row[name] as SqlValue));
      return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${values.join(", ")});`;
    });
}

function isGenerated(table: string, column: string): boolean {
  return table === "dead_letters" && column === "live";
}

function literal(value: SqlValue): string {
  if (value === null) return "NULL";
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
