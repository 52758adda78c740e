package service

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Tracing is what OpenTelemetry's variables say; what they cannot say is an error that names them.
func TestTracing_isWhatTheVariablesSay(t *testing.T) {
	for name, c := range map[string]struct {
		variables map[string]string
		on        bool
		says      string
	}{
		"nothing":             {},
		"none":                {variables: map[string]string{"OTEL_TRACES_EXPORTER": "none"}},
		"console":             {variables: map[string]string{"OTEL_TRACES_EXPORTER": "console"}, on: true},
		"otlp":                {variables: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, on: true},
		"otlp by grpc":        {variables: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, on: true},
		"an unknown exporter": {variables: map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, says: `OTEL_TRACES_EXPORTER is "zipkin"; it must be otlp, console or none`},
		"an unknown protocol": {
			variables: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
			says:      `is "http/json"; it must be http/protobuf or grpc`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range c.variables {
				t.Setenv(variable, value)
			}
			exporter, err := newExporter(t.Context())
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.on, exporter != nil)
			if c.on {
				require.NoError(t, exporter.Shutdown(t.Context()))
			}
		})
	}
}
