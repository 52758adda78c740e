package worker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/worker"
)

// Rows of partitions that no member of the group has are published by any of them; those of a
// partition that a member has are left to it.
func TestPromise2_rowsOfATopicThatIsNoLongerConfiguredArePublished(t *testing.T) {
	p := setup(t, 1)
	p.attentive = true
	removed := testbed.Topic(t, "removed", 2)
	p.topics = []worker.Topic{{Name: removed}}
	m := p.start()
	for partition := range int32(2) {
		for i := range 3 {
			p.sendTo(removed, partition, create("a", fmt.Sprintf("r%d-%d", partition, i), 1))
		}
	}
	p.awaitDistinct(6)
	p.awaitCommittedOf(removed, 0, 3)
	p.awaitCommittedOf(removed, 1, 3)
	require.NoError(t, m.stop())

	p.execute(`update positions set published_row = 1 where topic = $1`, removed)
	p.got = nil
	p.topics = nil
	first, second := p.start(), p.start()
	p.await(4)
	p.awaitPublished(removed)
	require.Len(t, p.checkIdentities(), 4)
	require.NoError(t, first.stop())
	require.NoError(t, second.stop())
}

func TestPromise2_rowsOfAPartitionThatAnotherMemberHasAreLeftToIt(t *testing.T) {
	p := setup(t, 1)
	p.attentive = true
	p.session = time.Minute // or a machine with much else to do ends it, and then no member has the partition
	late := testbed.Topic(t, "added", 1)
	old := p.start()
	p.topics = []worker.Topic{{Name: late}}
	p.start() // a rolling deployment: only one member knows the topic
	p.sendTo(late, 0, create("a", "first", 1))
	p.awaitDistinct(1)
	p.awaitCommittedOf(late, 0, 1)
	p.awaitPublished(late)
	owner := p.ownerOf(late)
	p.always(5*time.Second, func() bool {
		p.execute(`update positions set published_row = 0 where topic = $1`, late) // its owner finds that, and writes it again
		return p.ownerOf(late) == owner
	})
	require.Empty(t, old.NotReady(t.Context()))
}

// A restored database that lacks only how far rows were published is told again, though no command
// comes: otherwise its outbox looks as if it had something to publish.
func TestPromise10_whatIsPublishedIsSaidAgain(t *testing.T) {
	p, m := published(t)
	owner := p.ownerOf(p.commands)
	p.execute(`update positions set published_row = 0`)
	p.awaitPublished(p.commands)
	require.Equal(t, owner, p.ownerOf(p.commands))
	require.NoError(t, m.stop())
	require.Len(t, p.checkIdentities(), 2)
}

// A restored database may be older than a partition, and have no position of it. Its commands are
// replayed though none comes, and that is told.
func TestPromise10_aPositionThatIsGoneIsMadeAgain(t *testing.T) {
	p, m := published(t)
	p.execute(`delete from outbox; delete from counter_names; delete from counters; delete from positions`)
	p.await(4)
	p.awaitPublished(p.commands)
	require.Len(t, p.checkIdentities(), 2)
	require.Contains(t, p.log.String(), "the database is behind what was committed")
	require.NoError(t, m.stop())
}

// published is a pipeline whose two commands are applied and published, and its worker.
func published(t *testing.T) (*pipeline, *member) {
	p := setup(t, 1)
	p.attentive = true
	m := p.start()
	p.send(0, create("a", "first", 1), create("b", "second", 1))
	p.await(2)
	p.awaitPublished(p.commands)
	return p, m
}

func (p *pipeline) awaitPublished(topic string) {
	p.t.Helper()
	testbed.Eventually(p.t, func() bool {
		return p.number(`select sum(next_row - published_row) from positions where topic = $1`, topic) == 0
	})
}

func (p *pipeline) ownerOf(topic string) (owner string) {
	p.t.Helper()
	p.ask(&owner, `select max(owner) from positions where topic = $1`, topic)
	return owner
}
