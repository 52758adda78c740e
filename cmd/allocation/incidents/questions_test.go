package incidents

import (
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
)

// answers are what each command of the questions must say, in the order of the document. (?s) has
// . match ends of lines.
var answers = []string{
	`(?s)#8 order o2 gets 20 of batch b2\n +batch b2 is the first in preference that had 20 available; before it come b1 \(5, in the warehouse\), which had too little`,
	`now: it needs 60 in one batch; the most available are 30 on b2 \(due 2030-01-01\), 5 on b1 \(in the warehouse\)`,
	`(?s)^order-2 is the id of 1 command\n.*command warehouse\.commands\.2\.3, type Allocate.*\napplied +1 event\n`,
	`(?s)would lead to 3 events\n.*order o1 gives 20 back to batch b1.*order o1 gets 20 of batch b2`,
	`(?s)would lead to 3 events\n.*order o7 gives 3 back to batch b7.*order o7 waits for 3`,
	`(?s)o3 +CHAIR +60 +waiting .*o7 +DESK +3 +allocated +b7 .*\n2 lines, a quantity of 63\n`,
	`(?s)CHAIR +8 +2 +5 +30 +1 +60\nDESK .*\n2 products, 7 free now, 30 free later, 1 waiting line\n`,
	`(?s)b1 +CHAIR +25 .*b2 +CHAIR +50 .*b7 +DESK +5 .*\n3 batches, `,
	`(?s)o3 +CHAIR +60 +waiting .*\n1 line, a quantity of 60\n`,
	`\n2 batches, 5 free now, 30 free later\n`,
	`(?s)\dZ  ChangeBatchQuantity  warehouse\.commands\.2\.5  \(id count-1, worker \S+/\d+\)\n +#\d batch b1 has 25 now\n +it was 50 before\n`,
	`(?s)^shop-9 is the correlation of 2 commands\n.*id order-2, .*id order-7, `,
	`(?s)^schema .*\nnothing needs a person\n$`,
	`(?s)^product CHAIR, version 8: 2 batches in use, 1 waiting line\n.*#1 batch b1 of 50.*#8 `,
}

// Each question of people on call has one answer, from one command and from one page.
func TestQuestions_areAnsweredByOneCommandEach(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=order-1")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=20", "--id=order-2", "--correlation-id=shop-9")
	s.Send("Allocate", "orderid=o3", "sku=CHAIR", "qty=60", "--id=order-3")
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=25", "--id=count-1")
	s.Send("CreateBatch", "ref=b7", "sku=DESK", "qty=5", "--id=delivery-7")
	s.Send("Allocate", "orderid=o7", "sku=DESK", "qty=3", "--id=order-7", "--correlation-id=shop-9")
	awaitReported(s, 8)
	s.Execute(`update lines set placed_at = placed_at - interval '3 days' where orderid in ('o3', 'o7')`)
	testbed.Eventually(t, func() bool { return run(s, "allocation status").Code == cli.ExitDone })

	_, text, _ := strings.Cut(document(t), "\n## Twelve questions\n")
	text, _, _ = strings.Cut(text, "\n## ")
	questions := regexp.MustCompile(`(?m)^\| ([^|]+\?) \| ([^|]*) \| ([^|]*) \|$`).FindAllStringSubmatch(text, -1)
	require.Len(t, questions, 12)
	commands, pages := quoted(questions, 2), quoted(questions, 3)
	require.Len(t, commands, len(answers))
	for i, c := range commands {
		requireSays(s, c, answers[i])
	}
	console := s.StartConsole()
	require.Len(t, pages, len(pageAnswers))
	for i, page := range pages {
		require.Regexp(t, pageAnswers[i], read(t, console+page), page)
	}
}

// pageAnswers are what each page of the questions must say, without its markup.
var pageAnswers = []string{
	`#8 order o2 gets 20 of batch b2 batch b2 is the first in preference that had 20 available; before it come b1 \(5, in the warehouse\), which had too little`,
	`it needs 60 in one batch; the most available are 30 on b2 \(due 2030-01-01\), 5 on b1 \(in the warehouse\)`,
	`order-2 is the id of 1 command.* applied .*1 event `,
	`would lead to 3 events: .*order o1 gives 20 back to batch b1.*order o1 gets 20 of batch b2`,
	`would lead to 3 events: .*order o7 gives 3 back to batch b7.*order o7 waits for 3`,
	` o3 .* 60 .* o7 .* b7 .*2 lines, a quantity of 63\.`,
	` CHAIR .* DESK .*2 products, 7 free now, 30 free later, 1 waiting line\.`,
	` b1 .* b2 .* b7 .*3 batches, `,
	` o3 .*1 line, a quantity of 60\.`,
	`2 batches, 5 free now, 30 free later\.`,
	` ChangeBatchQuantity .* count-1 .*#\d batch b1 has 25 now it was 50 before`,
	`shop-9 is the correlation of 2 commands.* order-2 .* order-7 `,
	`Nothing needs a person\.`,
	`Product CHAIR .*#1 batch b1 of 50.*#8 `,
}

// quoted are the texts in a column that stand between backticks.
func quoted(rows [][]string, column int) (all []string) {
	for _, row := range rows {
		for _, text := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[column], -1) {
			all = append(all, text[1])
		}
	}
	return all
}

// read is the text of a page.
func read(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s %s", url, body)
	text := regexp.MustCompile(`(?s)<textarea.*?</textarea>|<[^>]*>`).ReplaceAllString(string(body), " ")
	return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
}

func requireSays(s *programtest.Service, command, answer string) {
	s.T.Helper()
	require.Regexp(s.T, answer, inDocument(s, run(s, command).RequireDone(s.T)), command)
}
