package cloudevents

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

// A type of a later version may be known; one that is not is refused, and called newer only where
// nothing but the version is wrong.
func TestRead_typesOfLaterVersions(t *testing.T) {
	t.Parallel()
	types := Types{Prefix: "counters.v1.", Later: []string{"counters.v2.Add"}}
	readAs := func(types Types, r *kgo.Record) Message { return Read(r, &types, &outbox.Cause{}) }
	m := readAs(types, envelope(someData, "ce_type", "counters.v2.Add"))
	require.Equal(t, "v2.Add", m.Type)
	require.Empty(t, m.Reason)

	for kind, newer := range map[string]bool{
		"counters.v2.Make": true, "counters.v10.Add": true, "counters.v3.Some_9": true,
		"counters.v1.v2.Add": false, "counters.v0.Add": false, "counters.v02.Add": false, "counters.v2.": false, "counters.v2": false, "counters.v2.2": false,
		"counters.v2.Add.More": false, "counters.v2,Add": false, "counters.2.Add": false, "counters.V2.Add": false, "counters.v-2.Add": false,
		"stock.v2.Add": false, "v2.Add": false, "countersXv2.Add": false, "counters.v" + strings.Repeat("9", 20) + ".Add": false,
	} {
		for _, r := range []*kgo.Record{
			envelope(someData, "ce_type", kind),
			envelope(structured("type", `"`+kind+`"`), "content-type", structuredJSON),
		} {
			m := readAs(types, r)
			require.Equal(t, UnknownType, m.Reason, kind)
			require.Equal(t, newer, m.Newer == kind, kind)
			require.Equal(t, newer, m.Newer != "", kind)
			require.JSONEq(t, someData, string(m.Data), kind)
		}
	}
	require.Empty(t, readAs(Types{Prefix: "counters.v3."}, envelope(someData, "ce_type", "counters.v2.Add")).Newer, "it is older")
	require.Empty(t, readAs(Types{Prefix: "counters."}, envelope(someData, "ce_type", "counters.v2.Add")).Newer, "the prefix has no version")
	require.True(t, readAs(Types{Prefix: "counters.v1.", Takes: []string{"Made"}}, envelope(someData, "ce_type", "counters.v2.Made")).Ignored)
}
