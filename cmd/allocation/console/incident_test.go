package console_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
)

// What the console gives as a file replays, and names nobody.
func TestIncident_isAFileThatReplays(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=alice", "sku=CHAIR", "qty=20")
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=5")
	s.AwaitAtRest(5)
	for page, id := range map[string]string{"/product": "CHAIR", "/order": "alice"} {
		_, text := s.get(page, "id", id)
		require.Contains(t, text, `<a href="/api/v1/incident?id=`+id+`" download>`)
		status, file := s.get("/api/v1/incident", "id", id)
		require.Equal(t, http.StatusOK, status, file)
		require.NotContains(t, file, "alice")
		require.NotContains(t, file, "CHAIR")
		programtest.RunWith(t.Context(), file, "replay", "-").RequireDone(t, "ChangeBatchQuantity")
	}
	status, text := s.get("/api/v1/incident", "id", "nope")
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, text, `nothing is kept of a product or an order \"nope\"`)
	status, text = s.get("/api/v1/incident")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "id is not set")
}
