package service

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// No client here can make a streams group: this is how Kafka lists one.
func TestForeignKind_streams(t *testing.T) {
	t.Parallel()
	g := kmsg.ListGroupsResponseGroup{Group: "group", ProtocolType: "streams", GroupType: "Streams", GroupState: "Stable"}
	require.Equal(t, "a streams group", foreignKind(g))
}
