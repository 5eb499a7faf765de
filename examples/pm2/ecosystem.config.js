// An ecosystem file of PM2's, as it is: `thrum up -f ecosystem.config.js` runs it, and `-f metrics.yaml` behind it adds
// what PM2 has no word for. A clustered server, a worker that recycles itself, and a job by the clock.
module.exports = {
  apps: [
    {
      name: 'api',
      script: 'api.js',
      exec_mode: 'cluster',
      instances: 2,
      wait_ready: true,
      listen_timeout: 10000,
      kill_timeout: 3000,
      max_memory_restart: '300M',
      env: { PORT: 8003, MODE: 'development' },
      env_production: { MODE: 'production' },
    },
    {
      name: 'worker',
      script: 'worker.js',
      autorestart: true,
      max_restarts: 10,
      exp_backoff_restart_delay: 100,
      env: { BEAT_MS: 1000 },
    },
    {
      name: 'report',
      script: 'report.js',
      autorestart: false,
      cron_restart: '*/5 * * * *',
    },
  ],
};
