package language_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/warehouse/language"
	"allocation/domain/warehouse"
	"allocation/store"
)

// Who discards what others rely on is told what it leaves.
func TestDiscarded_saysWhatIsMissing(t *testing.T) {
	t.Parallel()
	said := map[string]string{warehouse.ReadyOrder: "their order stays ready", "PickLine": "their order stays ready", "AnnounceShipment": "are refused"}
	for _, fact := range warehouse.StockFacts() {
		said[fact] = "misses an event of stock"
	}
	for kind, says := range said {
		require.Contains(t, language.Discarded(&store.Letter{Type: kind, Reason: "internal"}), says)
		require.Empty(t, language.Discarded(&store.Letter{Type: kind, Reason: "unknown_type"}), "it came by another topic")
	}
	require.Empty(t, language.Discarded(&store.Letter{Type: "ReportDamage", Reason: "not_arrived"}))
}
