package incidents

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// awaitReported waits until so many commands are applied, the database knows that what they led to
// is published, and the group's offsets say so.
func awaitReported(s *programtest.Service, commands int64) {
	s.T.Helper()
	admin := testbed.Admin(s.T, s.Names.Server(s.T))
	testbed.Eventually(s.T, func() bool {
		offsets, err := admin.FetchOffsets(s.T.Context(), s.Group)
		require.NoError(s.T, err)
		var sum int64
		offsets.Each(func(o kadm.OffsetResponse) { sum += max(0, o.At) })
		published := int64(0)
		for _, l := range s.Positions() {
			published += l.Published
		}
		return sum == commands && published == commands
	})
}

// shop is a service with two batches, of which the second is on its way.
func shop(t *testing.T) *programtest.Service {
	t.Helper()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", "--id=delivery-1")
	s.Send("CreateBatch", "ref=b2", "sku=CHAIR", "qty=50", "eta=2030-01-01", "--id=delivery-2")
	return s
}
