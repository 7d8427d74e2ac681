// Package page shows in a browser how the daemon stands and what happened: what the verbs status
// and history say, in their words.
package page

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"fmt"
	"net/http"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/watch"
)

// A Page is what there is to show. It is read and never changes anything.
type Page struct {
	// Status gives how the daemon stands. The error is that it stops, or that of the context.
	Status  func(context.Context) (status.Status, error)
	History func() status.History
	// Named tells whether names of what is looked up may be shown; where they may not there is no
	// page. nil: they may.
	Named func() bool
	Host  string           // name of the machine, by which it may be asked for the page
	Now   func() time.Time // nil: time.Now
}

// content is what the page consists of beside its text. Nothing of it is of another server.
//
//go:embed page.css page.js page.html
var content embed.FS

// icon is a disc of a colour, and colours are those of states, on light and on dark.
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="%s"/></svg>`

var colours = map[watch.State]string{
	watch.Current: "#2c8a57", watch.Owes: "#d08a00", watch.RolledBack: "#d08a00", watch.Failing: "#d5352b", watch.Unhealthy: "#d5352b",
	watch.Waiting: "#808791", watch.Paused: "#808791", watch.Held: "#808791", watch.Proving: "#808791",
}

// Handler gives the page at / and what it loads. It answers GET and HEAD. A Host that is not this
// machine's is refused with 421, and an Origin that is not the page's own with 403.
func (p Page) Handler() http.Handler {
	if p.Now == nil {
		p.Now = time.Now
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.show)
	for name, kind := range map[string]string{"page.css": "text/css", "page.js": "text/javascript"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind+"; charset=utf-8")
			text, _ := content.ReadFile(name)
			_, _ = w.Write(text)
		})
	}
	mux.HandleFunc("GET /icon.svg", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		fmt.Fprintf(w, icon, cmp.Or(colours[watch.State(r.URL.Query().Get("state"))], colours[watch.Waiting]))
	})
	return guarded(p.Host, mux)
}

// show answers with the page, or, where ?service= names one by its name or the path of a file, with
// what there is of that service.
func (p Page) show(w http.ResponseWriter, r *http.Request) {
	if p.Named != nil && !p.Named() {
		http.Error(w, "there is no page: metrics.refs is false, and the page names what is looked up", http.StatusNotFound)
		return
	}
	st, err := p.Status(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	view := p.view(st)
	if name := r.URL.Query().Get("service"); name == "" {
		view.all(st, p.History())
	} else if svc := st.Find(name); svc != nil {
		view.one(svc, p.History())
	} else {
		http.Error(w, printable.Escape(st.NoService(name).Error()), http.StatusNotFound)
		return
	}
	var html bytes.Buffer
	if err := layout().Execute(&html, view); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = printable.Writer{Writer: w}.Write(html.Bytes())
}
