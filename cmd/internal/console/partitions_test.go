package console_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/console"
	"allocation/deploy/testbed"
)

func TestPartitions_sayHowFarEachIs(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	s.Send("CreateBatch", "ref=b1", "sku=CHAIR", "qty=50")
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=2")
	s.AwaitAtRest(2)
	c := openSite(t, s, testbed.Kafka(t))
	page := twin[console.PartitionsPage](c, "/partitions")
	require.Len(t, page.Partitions, 3)
	require.Empty(t, page.Kafka)
	require.InDelta(t, 2./60, page.Rate, 1e-9)
	busy := s.Busy()
	c.shows(c.ask(200, "/partitions"), `/command?id=`+s.Names.Commands, ">ok</span>", "allocation offsets list")
	require.Len(t, twin[console.PartitionsPage](c, "/partitions", "owner", busy.Owner).Partitions, 3)
	require.Empty(t, twin[console.PartitionsPage](c, "/partitions", "topic", "another").Partitions)
	require.Empty(t, twin[console.PartitionsPage](c, "/partitions", "lag", "1").Partitions)
	c.shows(c.ask(400, "/partitions", "state", "sleepy", "lag", "much"), "state is &#34;sleepy&#34;", "lag is &#34;much&#34;")

	require.NoError(t, s.Stop())
	for _, ref := range []string{"ref=b3", "ref=b4"} {
		s.Send("CreateBatch", ref, "sku=CHAIR", "qty=50")
	}
	page = twin[console.PartitionsPage](c, "/partitions", "lag", "1")
	require.Len(t, page.Partitions, 1)
	require.EqualValues(t, 2, page.Lag)
	s.DeleteBefore(busy.Partition, busy.Position+1)
	page = twin[console.PartitionsPage](c, "/partitions")
	require.Equal(t, "quarantined", page.Partitions[0].State, "it comes first")
	c.shows(c.ask(200, "/partitions", "state", "quarantined"), "were deleted before they were applied", "allocation offsets accept --topic="+s.Names.Commands+" --partition=")
}
