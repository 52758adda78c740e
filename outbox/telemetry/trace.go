package telemetry

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Trace are the headers of W3C Trace Context that a command came with, well-formed; empty where it
// came with none.
type Trace struct {
	Parent string // traceparent
	State  string // tracestate
}

// Sampled reports whether who sent the command records its trace. Only then does it have spans.
func (t Trace) Sampled() bool {
	const flags = 54 // their last digit is there in each version
	return len(t.Parent) > flags && strings.IndexByte("13579bdf", t.Parent[flags]) >= 0
}

// ID is the trace's id; empty where there is none.
func (t Trace) ID() string {
	const begin, end = 3, 35
	if len(t.Parent) < end {
		return ""
	}
	return t.Parent[begin:end]
}

// SpanContext is what the command came with. It is not valid unless the command is sampled.
func (t Trace) SpanContext() trace.SpanContext {
	if !t.Sampled() {
		return trace.SpanContext{}
	}
	carrier := propagation.MapCarrier{"traceparent": t.Parent, "tracestate": t.State}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}
