// What PM2 runs of the image service: `make pm2-image-consumer`, or `pm2 start ecosystem.config.js --only <name>`.
// Every program takes its settings from the environment in which pm2 is called; see docs/configuration.md.
const python = process.env.IMAGE_SERVICE_PYTHON || '.venv/bin/python';

const scan = (name, module) => ({
  name,
  script: python,
  args: `-m scripts.${module}`,
  interpreter: 'none',
  cwd: __dirname,
  // One run at the start and one every day at 01:00; in between it is stopped.
  autorestart: false,
  cron_restart: '0 1 * * *',
  env: { ENVIRONMENT: process.env.ENVIRONMENT || 'PRODUCTION' },
});

module.exports = {
  apps: [
    {
      name: 'image-consumer',
      script: python,
      args: `-m imageservice.ports.workers.image_resizing_consumer -w ${process.env.WORKERS || 1}`,
      interpreter: 'none',
      cwd: __dirname,
      // It finishes the message in hand; one with two slow images and a slow receiver takes this long.
      kill_timeout: 180000,
      exp_backoff_restart_delay: 1000,
      env: { LEVEL: process.env.LEVEL || 'INFO' },
    },
    scan('resize-image-from-channel', 'resize_images_from_channel_collection'),
    scan('resize-image-from-episodes', 'resize_images_from_episodes_collection'),
  ],
};
