package worker

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"allocation/outbox"
)

func TestSpan_isOneATransactionAndLinkedToItsCommands(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder))
	transaction := Transaction{Moves: make([]PositionMove, 2), Commands: []Command{
		{Cause: &outbox.Cause{TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", TraceState: "vendor=1"}},
		{Cause: &outbox.Cause{}},
	}}
	_, span := startSpan(t.Context(), provider.Tracer("test"), &transaction)
	endSpan(span, errors.New("odd"))

	ended := recorder.Ended()
	require.Len(t, ended, 1)
	require.Len(t, ended[0].Links(), 1, "the other command came with no context")
	link := ended[0].Links()[0].SpanContext
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", link.TraceID().String())
	require.Equal(t, "vendor=1", link.TraceState().String())
	require.Equal(t, codes.Error, ended[0].Status().Code)
}
