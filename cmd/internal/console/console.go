package console

import (
	"context"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/operate/explain"
	"allocation/cmd/internal/web"
	"allocation/store"
)

// Console answers requests for pages.
type Console struct {
	Options

	handler   http.Handler
	pages     []Page
	templates map[string]*template.Template // by their files
	statics   web.Statics
	door      *web.Door
	kafka     *kafka
	running   chan struct{}   // a place for each page that is being read
	writing   chan struct{}   // a place for each file that is being written
	streams   context.Context // ends what is followed
	streaming chan struct{}   // a place for each stream
	live      *live
}

// Options are what a console needs.
type Options struct {
	Program *cli.Program
	Store   *store.Store // whose sessions end long statements
	Kafka   config.Kafka
	Events  config.Events
	Product Product
	Where   string // which database it is, for people

	Prefix   string   // of all paths, such as /allocation; empty: none
	Hosts    []string // names of this host beside those of loopback, as browsers send them
	Token    string   // that opens it; empty: nobody needs one
	Payloads Payloads
	Logger   *slog.Logger
}

// Product is what a service adds to its console.
type Product struct {
	Words       explain.Words
	KeyPage     string // the page about a key of commands and events, which takes it as "id"; empty: there is none
	WaitingPage string // the page that lists what waits; empty: there is none
	Files       fs.FS  // the templates of the pages; what several of them share is in parts.html; nil: there are none

	Pages func(*Console) []Page // may be nil

	// Section is what the front page has first; nil: nothing but the engine's own.
	Section *Section

	// Actions are what buttons of pages do. A console that shows a service to its operators has none.
	Actions []Action

	// Downloads are beside the pages; it may be nil.
	Downloads func(*Console) []Download
	Funcs     func(*Console) template.FuncMap // that its templates call; may be nil

	// Tail are the words after "tail" of the command that prints such events; nil: there is none.
	Tail func(eventType, key, subject string) []string

	// Finds says for people what Find knows, such as "order, batch, SKU"; empty: nothing.
	Finds string

	// Find gives what has a name, the likeliest first; it may be nil.
	Find func(ctx context.Context, db *store.Store, name string) ([]Found, error)
}

// Found is something that has a name.
type Found struct {
	Kind string // such as order
	Path string // of its page, which takes the name as "id"
}

// New makes a console. What its readers follow ends with the context. The caller closes it.
func New(ctx context.Context, o Options) (*Console, error) {
	c := &Console{
		Options: o, streams: ctx, statics: web.ReadStatics(Static()), door: web.NewDoor(o.Hosts, o.Token, cookie, o.Prefix, o.Logger), kafka: newKafka(o.Program, o.Kafka),
		running: make(chan struct{}, maxRunning), writing: make(chan struct{}, maxWriting), streaming: make(chan struct{}, maxStreams),
	}
	c.live = newLive(ctx, o, c.readLive)
	c.pages = []Page{
		{"/", "Status", "status.html", c.status},
		{"/command", "", "command.html", c.command},
		{"/letters", "Dead letters", "letters.html", c.letters},
		{"/letter", "", "letter.html", c.letter},
		{"/partitions", "Partitions", "partitions.html", c.partitions},
		{livePath, "Live events", liveFile, c.liveEvents},
	}
	if o.Product.Pages != nil {
		c.pages = append(c.pages, o.Product.Pages(c)...)
	}
	var err error
	c.templates, err = c.parse()
	c.handler = c.guard(c.routes())
	return c, err
}

// Close closes what the console opened itself.
func (c *Console) Close() {
	c.live.close()
	c.kafka.close()
}

// ServeHTTP answers.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	for i := range c.pages {
		page := &c.pages[i]
		path := page.Path
		if path == "/" {
			path = "/{$}"
			mux.Handle("GET "+c.Prefix+"/api/v1/status", c.bounded(c.running, c.twin(page)))
		} else {
			mux.Handle("GET "+c.Prefix+"/api/v1"+path, c.orFollow(page, c.bounded(c.running, c.twin(page))))
		}
		mux.Handle("GET "+c.Prefix+path, c.bounded(c.running, c.page(page)))
	}
	for i := range c.Product.Actions {
		mux.Handle("POST "+c.Prefix+c.Product.Actions[i].Path, c.bounded(c.running, c.action(&c.Product.Actions[i])))
	}
	if c.Product.Downloads != nil {
		for _, d := range c.Product.Downloads(c) {
			mux.Handle("GET "+c.Prefix+"/api/v1"+d.Path, c.bounded(c.writing, c.download(&d)))
		}
	}
	mux.HandleFunc("GET "+c.Prefix+liveStreamPath, c.followList)
	mux.Handle("GET "+c.Prefix+"/search", c.bounded(c.running, http.HandlerFunc(c.search)))
	mux.Handle("GET "+c.Prefix+"/static/{name}", c.statics)
	mux.HandleFunc(c.Prefix+"/sign-in", c.signIn)
	mux.HandleFunc("/", c.nothing)
	return mux
}

// client is a Kafka client that lasts as long as the console.
func (c *Console) client(ctx context.Context) (*kgo.Client, error) { return c.kafka.get(ctx) }
