package worker_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A command with many events comes while others of its key come by another partition, each of which
// is committed sooner than the large one is written.
func TestWorker_largeChangeIsNotOvertakenForEver(t *testing.T) {
	const events = 20_000
	p := setup(t, 2)
	p.start()
	p.send(0, create("a", "first", 0))
	var others sync.WaitGroup
	stop := make(chan struct{})
	others.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				r := add("a", fmt.Sprint("other", n))
				r.Topic = p.commands
				if err := p.client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
					t.Errorf("send: %v", err)
					return
				}
			}
		}
	})
	defer others.Wait()
	defer close(stop)
	p.await(1 + 100) // they come
	p.send(1, command("Flood", `{"key":"a","n":%d}`, events))
	for seen := 1; ; seen++ {
		r := p.await(seen + 1)[seen]
		if header(r, "ce_subject") == "a" {
			return
		}
		require.Less(t, seen, events, "others are first for ever")
	}
}
