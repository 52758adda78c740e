package checker

import "strings"

// checkRoutes wants each event of a routed type in both topics, with the same bytes, and nothing
// else in a topic of a type.
func (c *check) checkRoutes() {
	if len(c.history.Routes) == 0 {
		return
	}
	routed := map[string]map[string]bool{} // bodies, by topic; true: seen in the events topic
	for _, topic := range c.history.Routes {
		routed[topic] = map[string]bool{}
	}
	for _, p := range c.history.Routed {
		routed[p.place().topic][p.body()] = false
	}
	reported := map[string]bool{}
	for _, p := range c.history.Events {
		r := p.Record()
		topic, ok := c.history.Routes[strings.TrimPrefix(string(r.header("ce_type")), typePrefix)]
		if !ok {
			continue
		}
		if _, there := routed[topic][p.body()]; !there && !reported[p.body()] {
			reported[p.body()] = true
			c.report(RuleRoute, string(r.Key), lines(describe(&r)), "the event at %s, %s, is not in the topic %s", placeOf(&r), r.header("ce_id"), topic)
		}
		routed[topic][p.body()] = true
	}
	for _, p := range c.history.Routed {
		at := p.place()
		if routed[at.topic][p.body()] {
			continue
		}
		r := p.Record()
		c.report(RuleRoute, string(r.Key), lines(describe(&r)), "the event at %s, %s, is not in the events topic with the same bytes", at, r.header("ce_id"))
		routed[at.topic][p.body()] = true
	}
}
