package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"allocation/deploy/checker"
)

// summary is a campaign in figures.
type summary struct {
	history    *checker.History
	violations int
}

// publish prints the summary, and adds it to the file that was asked for.
func (s *summary) publish(c *campaign) error {
	text := s.markdown(c)
	if _, err := os.Stdout.WriteString(text); err != nil || c.options.summary == "" {
		return err
	}
	file, err := os.OpenFile(c.options.summary, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(text)
	return err
}

func (s *summary) markdown(c *campaign) string {
	var text strings.Builder
	found := "The checker found nothing."
	if s.violations > 0 || c.journal.err() != nil {
		found = fmt.Sprintf("**The checker found %d violations; the campaign, %d other faults.**", s.violations, len(c.journal.findings))
	}
	fmt.Fprintf(&text, "\n### Campaign of seed %d\n\n`%s`: %s under faults. %s\n\n", c.seed, c.again(), c.duration, found)
	if c.noDisk != nil {
		fmt.Fprintf(&text, "**Without a full disk:** %v.\n\n", c.noDisk)
	}
	fmt.Fprintf(&text, "| Faults | Commands | Products | Events | Repeats of events | Dead letters | Commands undone by failovers | Aborted records | Workers started |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	events := 0
	for i := range s.history.Tables.Outbox {
		if s.history.Tables.Outbox[i].Type != "" { // not a dead letter
			events++
		}
	}
	fmt.Fprintf(&text, "| %d | %d | %d | %d | %d | %d | %d | %d | %d |\n\n", len(c.journal.strikes), len(s.history.Commands), len(s.history.Tables.Products), events,
		len(s.history.Events)-events, len(s.history.Tables.Letters), c.journal.lost, c.load.aborted.Load(), c.herd.started)
	fmt.Fprintf(&text, "| Fault | Count | Its time, on average | Longest stall, this fault alone | Longest stall, together with others | Those others |\n|---|--:|--:|--:|--:|--:|\n")
	for _, k := range kinds {
		text.WriteString(c.journal.row(k.name))
	}
	text.WriteString(c.journal.row(kindPoison))
	text.WriteString(c.journal.row(""))
	fmt.Fprintf(&text, "\nStalls longer than what was at work explains (its time, the session's timeout and 5 s for each; %s without any): %d.\n", defaultStall, len(c.journal.over))
	for _, stall := range c.journal.over {
		fmt.Fprintf(&text, "- %s\n", stall)
	}
	return text.String()
}

// row tells of one kind of fault, or of none.
func (j *journal) row(kind string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	count, total := 0, time.Duration(0)
	for _, s := range j.strikes {
		if s.kind == kind {
			count++
			total += s.ended.Sub(s.began)
		}
	}
	stalls := j.stalls[kind]
	if stalls == nil {
		stalls = &stallRow{}
	}
	switch {
	case kind == "":
		return fmt.Sprintf("| none | | | %s | | |\n", seconds(stalls.alone))
	case count == 0:
		return ""
	}
	return fmt.Sprintf("| %s | %d | %s | %s | %s | %d kinds |\n", kind, count, seconds(total/time.Duration(count)), seconds(stalls.alone), seconds(stalls.shared), stalls.with)
}

// seconds is a time for people; less than a second was not looked at.
func seconds(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
