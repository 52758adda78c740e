package show

import (
	"context"
	"fmt"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/operate/dlq"
	"allocation/store/products"
)

type orderCommand struct {
	shown
	ID string `arg:"" name:"id" help:"The order."`
}

func (orderCommand) Help() string {
	return `Prints an order's lines. Then its commands that had no effect: those that wait behind a held product, and those that
were refused or failed and are dead letters, unless they were retried. How they came to be so, allocation explain order says.

Example:

    allocation show order o1`
}

// Run prints the order.
func (c *orderCommand) Run(ctx context.Context, p *cli.Program) error {
	return view(ctx, p, c.shown, "order", c.ID, products.View.Order, printOrder)
}

func printOrder(p *cli.Program, o *products.OrderView) error {
	if o.LinesTotal == 0 {
		fmt.Fprintf(p.Out, "order %s has no lines\n", cli.Printable(o.OrderID))
	} else if err := printLines(p, o.Lines, o.LinesTotal); err != nil {
		return err
	}
	if err := printCommands(p, "commands that wait behind a held product", o.Waiting, o.WaitingTotal); err != nil {
		return err
	}
	if err := printCommands(p, "commands that were refused, or failed", o.Refused, o.RefusedTotal); err != nil {
		return err
	}
	return printHeld(p, o.Held)
}

// printCommands prints commands that had no effect, of which there may be more.
func printCommands(p *cli.Program, what string, commands []products.OrderCommandView, total int64) error {
	if len(commands) == 0 {
		return nil
	}
	fmt.Fprintf(p.Out, "\n%s\n", what)
	return cli.PrintTable(p, []string{"ID", "TYPE", "LINE", "PRODUCT", "SINCE", "WHY"}, commands, total, func(c *products.OrderCommandView) []string {
		why := "product " + c.Held + " is held"
		if c.Held == "" {
			why = fmt.Sprintf("%s (%s): %s", c.Reason, dlq.StateText(c.State, c.Retries), c.Message)
		}
		return []string{c.ID.String(), c.Type, c.LineID, c.SKU, cli.When(c.Since), why}
	})
}

// printLines prints lines as they are now, of which there may be more.
func printLines(p *cli.Program, lines []products.LineView, total int64) error {
	return cli.PrintTable(p, []string{"ORDER", "LINE", "PRODUCT", "QUANTITY", "STATE", "BATCH"}, lines, total, func(l *products.LineView) []string {
		return []string{l.OrderID, l.LineID, l.SKU, cli.Count(l.Qty), l.State, l.BatchRef}
	})
}
