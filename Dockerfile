# GraphiQL's page is built by node, of which nothing stays in the image that runs.
FROM node:20-slim AS graphiql
WORKDIR /build
COPY frontend/graphiql/package.json frontend/graphiql/package-lock.json frontend/graphiql/.npmrc ./
RUN npm ci --no-progress
COPY frontend/graphiql/ ./
RUN npm run build

FROM python:3.12-slim
WORKDIR /app
ENV PYTHONUNBUFFERED=1
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY . .
COPY --from=graphiql /build/dist frontend/graphiql/dist

# The code belongs to root; the server may write to its home alone.
RUN useradd --system --user-group --no-create-home --home-dir=/var/lib/kontor kontor \
    && install -d -o kontor -g kontor /var/lib/kontor
USER kontor
VOLUME /var/lib/kontor
ENV KONTOR_ENVIRONMENT=production \
    KONTOR_HOME=/var/lib/kontor \
    KONTOR_HOST=0.0.0.0 \
    KONTOR_LOG_FORMAT=json \
    KONTOR_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["python", "-m", "server", "serve"]
