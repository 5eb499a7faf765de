// An API on every core, a worker in Python, and a report at night.
const shared = { LOG_LEVEL: 'info' };

module.exports = {
  apps: [
    {
      name: 'api',
      script: './server.js',
      args: ['--port', '8000'],
      node_args: '--max-old-space-size=256',
      instances: 'max',
      exec_mode: 'cluster',
      max_memory_restart: '150M',
      exp_backoff_restart_delay: 100,
      kill_timeout: 3000,
      wait_ready: true,
      listen_timeout: 8000,
      shutdown_with_message: true,
      env: { ...shared, PORT: 8000, GREETING: 'costs ${nothing}' },
      env_production: { NODE_ENV: 'production' },
      log_file: 'logs/api.log',
      time: true,
    },
    {
      name: 'mail worker',
      script: 'worker.py',
      cwd: 'jobs',
      watch: ['src'],
      ignore_watch: ['node_modules', '*.tmp'],
      restart_delay: 2500,
      max_restarts: 5,
      stop_exit_codes: [0, 78],
      autostart: false,
      merge_logs: true,
    },
    {
      name: 'report',
      script: 'npm',
      args: 'run "night report"',
      autorestart: false,
      cron_restart: '0 2 * * *',
    },
  ],
  deploy: { production: { host: 'example.org' } },
};
