package outbox
import ("testing";"time";"fmt";"strconv";"github.com/twmb/franz-go/pkg/kfake")
func TestZZ(t *testing.T) {
	s := newStage(t, kfake.SeedTopics(12, events, deadLetters, routed), kfake.BlackholeProduce())
	r := s.relay(func(o *Options) { o.Envelope.Routes = nil })
	const sources, batch = 12, 1000
	for id := range int32(sources) { s.open(r, id+1, 0) }
	stop := make(chan struct{})
	go func(){ var last int64; for { select { case <-stop: return; case <-time.After(500*time.Millisecond): }
		var sum int64; for id := range int32(sources) { p,_ := r.Published(id+1); sum+=p }
		fmt.Println(time.Now().Format("05.000"), "published", sum-last, "room", r.room.now(), "err", r.Err()); last = sum } }()
	start := time.Now()
	n := 0
	for time.Since(start) < 8*time.Second {
		id := n % sources
		next := make([]Row, batch)
		for i := range next {
			next[i] = event("Allocated", "SKU-"+strconv.Itoa(i%100), "order-"+strconv.Itoa(i))
			next[i].Number = int64(n/sources*batch + i)
		}
		_ = r.Room(s.ctx)
		r.Publish(int32(id+1), next)
		n++
	}
	s.flush(r)
	close(stop)
	fmt.Println(float64(n*batch)/time.Since(start).Seconds(), "rows/s")
}
