package outbox

import (
	"context"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// gate keeps a topic's records from being appended until it is opened. The client tries on
// meanwhile.
type gate struct {
	stage *stage
	fault *kfake.FaultHandle
}

func (s *stage) gateProduce(topic string) *gate {
	return &gate{s, s.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: kerr.NotEnoughReplicas, Count: -1})}
}

// waitBlocked returns when a record was kept.
func (g *gate) waitBlocked(ctx context.Context) {
	g.stage.t.Helper()
	require.NoError(g.stage.t, g.fault.Wait(ctx, 1))
}

func (g *gate) open() { g.fault.Remove() }
