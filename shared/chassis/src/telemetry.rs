//! What a process tells about itself: logs, traces and metrics.
//!
//! Logs go to standard error, metrics to `/metrics`; with an OTLP endpoint all three also go to a
//! collector. Without one, nothing of OpenTelemetry's exporters is started.

pub mod metrics;
pub mod trace;

use std::{sync::OnceLock, time::Duration};

use opentelemetry::{KeyValue, global, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    logs::SdkLoggerProvider,
    metrics::{PeriodicReader, SdkMeterProvider},
    propagation::TraceContextPropagator,
    trace::SdkTracerProvider,
};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogFormat, Telemetry as Settings};

/// What `/metrics` shows; one registry for the process, however many services it runs.
static REGISTRY: OnceLock<prometheus::Registry> = OnceLock::new();

/// The exporters of this process, to be stopped last so that nothing is lost.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
}

/// Starts logs, metrics and, with an endpoint, export; once a process, before anything else.
///
/// # Errors
/// When an exporter cannot be built or another subscriber is already there.
pub fn start(settings: &Settings, process: &str) -> anyhow::Result<Telemetry> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let resource = Resource::builder()
        .with_service_name(process.to_owned())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let endpoint = settings.otlp_endpoint.trim_end_matches('/');
    let mut telemetry =
        Telemetry { metrics: Some(meters(endpoint, &resource)?), ..Telemetry::default() };
    if !endpoint.is_empty() {
        telemetry.traces = Some(tracers(endpoint, &resource)?);
        telemetry.logs = Some(loggers(endpoint, &resource)?);
    }

    let text = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let text = match settings.log_format {
        LogFormat::Text => text.with_target(false).boxed(),
        LogFormat::Json => text.json().flatten_event(true).boxed(),
    };
    let spans = telemetry
        .traces
        .as_ref()
        .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("steward")));
    // What the exporter's own client says would be exported for ever.
    let quiet = || EnvFilter::new("info,opentelemetry=off,hyper=off,reqwest=off,h2=off,tonic=off");
    let records = telemetry.logs.as_ref().map(|provider| {
        opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge::new(provider)
            .with_filter(quiet())
    });
    tracing_subscriber::registry()
        .with(text.with_filter(EnvFilter::try_new(&settings.level)?))
        .with(spans.with_filter(quiet()))
        .with(records)
        .try_init()?;
    Ok(telemetry)
}

impl Telemetry {
    /// Sends what is left, in at most five seconds.
    pub async fn stop(self) {
        let patience = Duration::from_secs(5);
        // The exporters block on their own HTTP client, which must not run on the runtime.
        let stopped = tokio::task::spawn_blocking(move || {
            if let Some(traces) = self.traces {
                let _ = traces.shutdown_with_timeout(patience);
            }
            if let Some(logs) = self.logs {
                let _ = logs.shutdown_with_timeout(patience);
            }
            if let Some(metrics) = self.metrics {
                let _ = metrics.shutdown_with_timeout(patience);
            }
        });
        let _ = tokio::time::timeout(patience, stopped).await;
    }
}

fn tracers(endpoint: &str, resource: &Resource) -> anyhow::Result<SdkTracerProvider> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_batch_exporter(exporter)
        .build();
    global::set_tracer_provider(provider.clone());
    Ok(provider)
}

fn loggers(endpoint: &str, resource: &Resource) -> anyhow::Result<SdkLoggerProvider> {
    let exporter = opentelemetry_otlp::LogExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{endpoint}/v1/logs"))
        .build()?;
    Ok(SdkLoggerProvider::builder()
        .with_resource(resource.clone())
        .with_batch_exporter(exporter)
        .build())
}

fn meters(endpoint: &str, resource: &Resource) -> anyhow::Result<SdkMeterProvider> {
    let registry = REGISTRY.get_or_init(prometheus::Registry::new).clone();
    let reader = opentelemetry_prometheus::exporter()
        .with_registry(registry)
        .scope_info_enabled(false)
        .without_target_info()
        .build()?;
    let mut provider =
        SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(reader);
    if !endpoint.is_empty() {
        let exporter = opentelemetry_otlp::MetricExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{endpoint}/v1/metrics"))
            .build()?;
        provider = provider.with_reader(PeriodicReader::builder(exporter).build());
    }
    let provider = provider.build();
    global::set_meter_provider(provider.clone());
    Ok(provider)
}
