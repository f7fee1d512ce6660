# A small image that runs as nobody in particular and keeps its data in /data.
#
#   docker build -t rollbook .                        for the processor (--target cpu)
#   docker build -t rollbook:cuda --target cuda .     for an NVIDIA GPU, on 64-bit x86
#
# compose.yaml starts it with its database; docs/deploy.md explains both.

FROM python:3.12.13-slim-trixie AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt /tmp/
# --no-deps: the lock names every package, and pip would refuse the set (see the file).
RUN pip install --no-cache-dir --no-deps --require-hashes -r /tmp/requirements.txt


FROM packages AS packages-cpu
# The GPU half of the runtime (285 MB) serves nobody without CUDA's libraries.
RUN rm -f /opt/venv/lib/python3.12/site-packages/onnxruntime/capi/libonnxruntime_providers_cuda.so \
          /opt/venv/lib/python3.12/site-packages/onnxruntime/capi/libonnxruntime_providers_tensorrt.so \
    && pip uninstall --yes --quiet pip


FROM packages AS packages-cuda
COPY requirements-gpu.txt /tmp/
# CUDA and cuDNN come as packages too, so no base image of NVIDIA's is needed; the
# driver is the host's, which the NVIDIA Container Toolkit puts into the container.
RUN pip install --no-cache-dir --no-deps --require-hashes -r /tmp/requirements-gpu.txt \
    && pip uninstall --yes --quiet pip


FROM packages AS site
WORKDIR /srv/rollbook
COPY . .
# Collecting needs settings but no secrets: DEBUG's own keys serve for this one command.
RUN DEBUG=1 python manage.py collectstatic --noinput --verbosity 0


FROM python:3.12.13-slim-trixie AS runtime
RUN python -m pip uninstall --yes --quiet --root-user-action ignore pip \
    && groupadd --gid 10001 rollbook \
    && useradd --uid 10001 --gid 10001 --no-log-init --create-home --home-dir /data rollbook
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    BIND=0.0.0.0:8000 \
    DATABASE_URL=sqlite:////data/db.sqlite3
COPY --from=site /srv/rollbook /srv/rollbook
WORKDIR /srv/rollbook
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
# One start at a time may migrate; compose.yaml does it in a step of its own.
CMD ["sh", "-c", "python manage.py migrate --noinput --verbosity 0 && exec python -m attendance_site.serve"]


FROM runtime AS cuda
COPY --from=packages-cuda /opt/venv /opt/venv
# `cuda` and not `auto`: without a GPU the start ends instead of becoming slow.
ENV FACE_DEVICE=cuda \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility


# The last stage is what a build without --target makes.
FROM runtime AS cpu
COPY --from=packages-cpu /opt/venv /opt/venv
