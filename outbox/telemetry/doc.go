// Package telemetry is what spans and log lines say of a record of Kafka, in the same words
// everywhere: in spans those of OpenTelemetry's conventions for messaging. It also says which
// commands have spans: those whose traceparent says that their trace is sampled.
package telemetry
