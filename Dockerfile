# docs/serving.md says how to run it.
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -c constraints.txt . && useradd --create-home groundwire && install -d -o groundwire /data
USER groundwire
ENV GROUNDWIRE_INDEX=/data/index GROUNDWIRE_HOST=0.0.0.0 GROUNDWIRE_PORT=7860
VOLUME /data
EXPOSE 7860
HEALTHCHECK CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz')"]
ENTRYPOINT ["groundwire"]
CMD ["serve"]
