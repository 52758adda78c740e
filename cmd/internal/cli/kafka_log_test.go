package cli

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The client's warnings are told, but not what it does, nor that a report came too late.
func TestQuietLogger(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := QuietLogger(slog.NewTextHandler(&out, nil))
	log.Log(kgo.LogLevelInfo, "joined the group")
	log.Log(kgo.LogLevelWarn, sessionEnded+", unable to handle this (were we kicked from the group?)")
	require.Empty(t, out.String())
	log.Log(kgo.LogLevelWarn, "the broker does not answer", "broker", 1)
	require.Contains(t, out.String(), `level=WARN msg="the broker does not answer" part="kafka client" broker=1`)
}
