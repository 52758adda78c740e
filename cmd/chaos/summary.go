package main

import (
	"fmt"
	"strings"
	"time"

	"allocation/deploy/checker"
)

// summary is the campaign in figures, as Markdown.
func (c *campaign) summary(history *checker.History, violations int) string {
	var text strings.Builder
	found := "The checker found nothing."
	if violations > 0 || c.journal.err() != nil {
		found = fmt.Sprintf("**The checker found %d violations; the campaign, %d other faults.**", violations, len(c.journal.findings))
	}
	fmt.Fprintf(&text, "\n### Campaign of seed %d\n\n`%s`: %s under faults. %s\n\n", c.seed, c.again(), c.duration, found)
	if c.noDisk != nil {
		fmt.Fprintf(&text, "**Without a full disk:** %v.\n\n", c.noDisk)
	}
	fmt.Fprintf(&text, "| Faults | Commands | Products | Events | Repeats of events | Dead letters | Commands undone by failovers | Aborted records | Workers started |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	events := 0
	for i := range history.Tables.Outbox {
		if history.Tables.Outbox[i].Type != "" { // not a dead letter
			events++
		}
	}
	fmt.Fprintf(&text, "| %d | %d | %d | %d | %d | %d | %d | %d | %d |\n\n", len(c.journal.strikes), len(history.Commands), len(history.Tables.Products), events,
		len(history.Events)-events, len(history.Tables.Letters), c.journal.lost, c.load.aborted.Load(), c.herd.started)
	fmt.Fprintf(&text, "| Fault | Count | Its time, on average | Longest stall, this fault alone |\n|---|--:|--:|--:|\n")
	for _, k := range kinds {
		text.WriteString(c.journal.row(k.name))
	}
	fmt.Fprintf(&text, "| none | | | %s |\n\n", seconds(c.journal.stalls[""]))
	longest := time.Duration(0)
	for _, stall := range c.journal.stalls {
		longest = max(longest, stall)
	}
	fmt.Fprintf(&text, "Longest stall, whatever was at work: %s.\n", seconds(longest))
	fmt.Fprintf(&text, "Stalls longer than what was at work explains (its time, the session's timeout and 5 s for each; %s without any): %d.\n", defaultStall, len(c.journal.over))
	for _, stall := range c.journal.over {
		fmt.Fprintf(&text, "- %s\n", stall)
	}
	return text.String()
}

// row tells of one kind of fault.
func (j *journal) row(kind string) string {
	count, total := 0, time.Duration(0)
	for _, s := range j.strikes {
		if s.kind == kind {
			count++
			total += s.ended.Sub(s.began)
		}
	}
	if count == 0 {
		return ""
	}
	return fmt.Sprintf("| %s | %d | %s | %s |\n", kind, count, seconds(total/time.Duration(count)), seconds(j.stalls[kind]))
}

// seconds is a time for people; less than a second was not looked at.
func seconds(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
