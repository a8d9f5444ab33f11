// node-red without its editor. The pool is made here, as its documentation says for modules that a function needs.
const { Pool } = require("pg");

module.exports = {
  uiHost: "127.0.0.1",
  uiPort: Number(process.env.BENCH_PORT),
  httpAdminRoot: false,
  flowFile: "flows.json",
  credentialSecret: false,
  functionGlobalContext: { pool: new Pool({ connectionString: process.env.BENCH_DATABASE_URL, max: 16 }) },
  telemetry: { enabled: false, updateNotification: false },
  logging: { console: { level: "warn", metrics: false, audit: false } },
};
