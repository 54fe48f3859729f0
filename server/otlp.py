"""OTLP: what traces and figures have in common on their way to a collector, and of which process they tell."""

import uuid

from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource

from server.settings import Settings

EXPORT_SECONDS = 5  # after which a collector that says nothing has had its chance

_INSTANCE = str(uuid.uuid4())  # figures of two processes are two series


def resource(settings: Settings) -> Resource:
    """The process, in OpenTelemetry's words."""
    return Resource.create(
        {
            SERVICE_NAME: "kontor",
            SERVICE_INSTANCE_ID: _INSTANCE,
            "deployment.environment.name": settings.environment,
        }
    )
