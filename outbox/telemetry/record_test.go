package telemetry

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// What is not known of a command, or is no text, is left out of its log lines and spans.
func TestRecord_saysWhatIsKnownOfIt(t *testing.T) {
	t.Parallel()
	require.Equal(t, []any{"topic", "commands", "partition", int32(3), "offset", int64(7), "key", "CHAIR", "trace_id", "0af7651916cd43dd8448eb211c80319c"},
		Record{Topic: "commands", Partition: 3, Offset: 7, Key: []byte("CHAIR"), Trace: Trace{Parent: sampled}}.LogAttrs())
	for name, key := range map[string][]byte{"none": nil, "empty": {}, "no text": {0xff}} {
		record := Record{Topic: "commands", Key: key}
		require.Equal(t, []any{"topic", "commands", "partition", int32(0), "offset", int64(0)}, record.LogAttrs(), name)
		require.Len(t, record.Operation("process"), 3, name)
	}
	require.Equal(t, strings.Repeat("a", 254), keyText([]byte(strings.Repeat("a", 254)+"ä")), "a long one is cut between its characters")
}

func TestTrace_isSampledAsItsFlagsSay(t *testing.T) {
	t.Parallel()
	for parent, want := range map[string]bool{
		"":                                     false,
		sampled:                                true,
		strings.TrimSuffix(sampled, "1") + "0": false,
		strings.TrimSuffix(sampled, "1") + "2": false,
		strings.TrimSuffix(sampled, "1") + "3": true,
		"cc" + sampled[2:54] + "a":             false,
		"cc" + sampled[2:54] + "b-more":        true,
	} {
		trace := Trace{Parent: parent, State: "vendor=1"}
		require.Equal(t, want, trace.Sampled(), parent)
		require.Equal(t, want, trace.SpanContext().IsValid(), parent)
		require.Equal(t, want, trace.SpanContext().IsSampled(), parent)
	}
	require.Equal(t, "vendor=1", Trace{sampled, "vendor=1"}.SpanContext().TraceState().String())
}
