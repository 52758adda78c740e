package outbox

// knows reports whether the watcher has seen the topic's id.
func (w *watcher) knows(topic string) bool { return w.relay.health.topics[topic].known.Load() }
