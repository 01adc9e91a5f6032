# docs/serving.md says how to run it. The CPU build of torch comes first: PyPI's brings gigabytes of CUDA along.
FROM python:3.11-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -c constraints.txt torch --index-url "$TORCH_INDEX" \
 && pip install --no-cache-dir -c constraints.txt . \
 && useradd --create-home groundwire && install -d -o groundwire /data /models
USER groundwire
ENV GROUNDWIRE_CACHE=/models
RUN groundwire prepare
ENV GROUNDWIRE_INDEX=/data/index GROUNDWIRE_HOST=0.0.0.0 GROUNDWIRE_PORT=7860
VOLUME /data
EXPOSE 7860
HEALTHCHECK CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz')"]
ENTRYPOINT ["groundwire"]
CMD ["serve"]
