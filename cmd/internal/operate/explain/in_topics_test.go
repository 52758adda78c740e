package explain

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/deploy/testbed/counters"
)

// What a service takes of others has a name, too.
func TestCommandOf_namesEventsOfOtherServices(t *testing.T) {
	t.Parallel()
	p := &cli.Program{Service: counters.Service, Vocabulary: config.Vocabulary{Takes: []config.Other{{TypePrefix: "depot.v1."}, {TypePrefix: "stock.v1."}}}}
	for kind, want := range map[string]string{"counters.v1.Add": "Add", "stock.v1.Moved": "Moved", "somebody.v1.Moved": ""} {
		r := &kgo.Record{Value: []byte(`{"key":"a"}`), Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte(kind)}, {Key: "ce_id", Value: []byte("7")}}}
		c := commandOf(r, p)
		require.Equal(t, want, c.Type)
		require.Equal(t, "7", c.Cause.CommandID)
	}
}
