package security

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// needsEachACL: without any rule everything is refused, and without one of them something that
// needs it is, and says so.
func needsEachACL(s *site) {
	rules := s.rules()
	for i, r := range rules {
		require.NotContains(s.t, rules[:i], r, "once")
	}
	w := s.startWorker(s.worker())
	w.ready()
	for _, r := range rules {
		s.t.Logf("without %s", r)
		s.forbid(r)
		switch r.principal {
		case "User:allocation-worker":
			s.workerMisses(w, r)
		default:
			s.commandMisses(r)
		}
		s.allow(r)
	}
	w.ready()
	s.works(w)
	w.stop()
}

// commandMisses: the role's command fails, and names the topic and that it is a matter of rights.
func (s *site) commandMisses(r rule) {
	s.t.Helper()
	user := strings.TrimPrefix(r.principal, "User:")
	env := s.user(user)
	switch user {
	case "allocation-producer":
		s.refused(env, []string{"send", "Allocate", "orderid=o1", "sku=CHAIR", "qty=1"}, r.name, "access rules")
	case "allocation-consumer":
		s.refused(env, []string{"tail"}, r.name, "access rules")
	case "allocation-owner":
		s.ownerMisses(env, r)
	case "allocation-operator":
		if r.kind == "group" {
			s.run(s.operator(), "offsets", "list").RequireDone(s.t, "access rules do not let this user see the group "+r.name)
			return
		}
		command := map[string][]string{
			"warehouse.commands": {"offsets", "list"}, "allocation.events": {"verify", "--from-topic"}, "warehouse.commands.dlq": {"dlq", "lost"},
		}[r.name]
		s.refused(s.operator(), command, r.name, "access rules")
	default:
		s.t.Fatalf("who is %s?", user)
	}
}

// ownerMisses: topics that exist are described, and those that do not are made, so one that does
// not is asked for.
func (s *site) ownerMisses(env environment, r rule) {
	s.t.Helper()
	create := []string{"topics", "create", "--partitions=2"}
	if r.operation == "DescribeConfigs" {
		require.Contains(s.t, s.done(env, create...), "access rules do not let this user see the settings of "+r.name)
		return
	}
	s.refused(env, create, r.name, "TOPIC_AUTHORIZATION_FAILED")
}

// workerMisses: a worker that runs says what is refused, does no harm, and goes on when it is
// allowed again.
func (s *site) workerMisses(w *worker, r rule) {
	s.t.Helper()
	if r.operation == "DescribeConfigs" { // it looks when it starts, and now and then
		starting := s.startWorker(s.worker())
		await(s.t, starting.Logged, "the access rules do not let this user see the settings of "+r.name)
		starting.ready()
		starting.stop()
		return
	}
	s.refused(s.worker(), []string{"worker", "--http-addr=127.0.0.1:0"}, "access rules do not let this user do what a worker must",
		fmt.Sprintf("--add --allow-principal %s --operation %s --%s %s`", r.principal, r.operation, r.kind, r.name))
	before := len(w.Logged())
	if strings.HasSuffix(r.name, ".dlq") {
		s.sendMalformed()
	} else {
		s.sendOrder()
	}
	refusal := map[string]string{"topic": "TOPIC_AUTHORIZATION_FAILED", "group": "GROUP_AUTHORIZATION_FAILED"}[r.kind]
	said := func() string { return w.Logged()[before:] + w.Get("/readyz") }
	await(s.t, said, refusal)
	if r.kind == "topic" {
		await(s.t, said, r.name)
	} else {
		await(s.t, func() string { return w.Get("/readyz") }, `"group: out of it for`)
		await(s.t, func() string { return w.Get("/metrics") }, "allocation_group_member 0\n")
		w.lacks("kafka", "Read on the group", "right")
	}
	if r.operation == "Read" && r.name == "warehouse.commands" {
		s.backsOff(w)
	}
	s.allow(r)
	s.works(w)
	w.ready()
	lines := strings.Count(w.Logged()[before:], "\n")
	require.Less(s.t, lines, 100, "refusals do not flood the log")
	require.True(s.t, w.Running())
}

// backsOff: a worker that may not read its commands is not ready, says why, counts the refusals,
// and asks again now and then only.
func (s *site) backsOff(w *worker) {
	s.t.Helper()
	metrics := func() string { return w.Get("/metrics") }
	await(s.t, func() string { return w.Get("/readyz") }, "access rules do not let this worker read the topic")
	require.Contains(s.t, w.Get("/readyz"), "503 ", "none of its partitions can move")
	refused := regexp.MustCompile(`allocation_access_refused_total\{reason="right",system="kafka"\} (\d+)`)
	count := func() (n int) {
		if found := refused.FindStringSubmatch(metrics()); found != nil {
			n, _ = strconv.Atoi(found[1])
		}
		return n
	}
	testbed.Eventually(s.t, func() bool { return count() >= 10 })
	since, before := time.Now(), count()
	testbed.Eventually(s.t, func() bool { return time.Since(since) > 2*time.Second })
	require.Less(s.t, count()-before, 200, "it asks again and again")
	require.NotContains(s.t, metrics(), "allocation_partitions_not_fetched 0\n")
}
