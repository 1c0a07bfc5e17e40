# The programs of bulk/ in a container. Without --target the last one is built, which compresses a bucket in place:
#   docker build -t compress-images-s3 .
#   docker run --init -e AWS_ACCESS_KEY_ID -e AWS_SECRET_ACCESS_KEY -e AWS_SESSION_TOKEN \
#     -v /local/path/to/csv:/app/dataset.csv compress-images-s3 --bucket_name meu-bucket --csv_path /app/dataset.csv

FROM python:3.13-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1
WORKDIR /app
# The libraries first: they change less often than the programs do.
COPY requirements.txt ./
COPY lambda_function/requirements.txt lambda_function/
COPY bulk/requirements.txt bulk/
RUN python -m pip install --no-cache-dir --disable-pip-version-check --requirement bulk/requirements.txt
COPY . ./
# Log and journal are written here, under whichever id `docker run --user` gives.
RUN python -m compileall -q bulk cli pipeline && chmod 1777 .
USER 1000:1000

# One batch of a file list, as AWS Batch runs it: docker build --target batch -t image-batch .
FROM base AS batch
ENTRYPOINT ["python", "bulk/compress_images.py"]

FROM base AS compress-images-s3
ENTRYPOINT ["python", "bulk/compress_images_from_S3.py"]
