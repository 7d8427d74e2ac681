package page

import (
	"cmp"
	"html/template"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/watch"
)

// mostEntries bounds how much of the history stands on the page of all services.
const mostEntries = 100

var layout = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page.html").Funcs(template.FuncMap{"moment": status.Moment}).ParseFS(content, "page.html"))
})

// A view is what the template shows.
type view struct {
	Host, Headline string
	Title          string
	Worst          watch.State // that a service is in
	Now            time.Time
	Config         status.Config
	Absences       []string     // what is paused, and not in the config
	Groups         []group      // of all services; nil: it is of one
	Rows           []status.Row // of the one
	Day            timeline
	Entries        []status.Entry
	Older          int // entries that are not shown
}

// A group are the services in one state.
type group struct {
	status.Count
	Services []row
}

// A row is a service in the table.
type row struct {
	Name, Changed, Looked, Next, Certificate string
	Notes                                    []string
}

func (p Page) view(st status.Status) *view {
	now := p.Now()
	return &view{Host: p.Host, Headline: st.Headline(now), Now: now, Config: st.Config, Absences: st.Absences()}
}

// all has the view show all services, those first that somebody should see to.
func (v *view) all(st status.Status, h status.History) {
	var titles []string
	for _, c := range slices.Backward(st.Counts()) {
		if c.State != watch.Current {
			titles = append(titles, c.String())
		}
		g := group{Count: c}
		for _, s := range st.Services {
			if s.State == c.State {
				g.Services = append(g.Services, row{
					s.Name, status.Since(v.Now, s.Changed), status.Since(v.Now, s.Looked), status.Until(v.Now, s.Next), s.Certificate().Left(v.Now), s.Notes(v.Now),
				})
			}
		}
		v.Groups = append(v.Groups, g)
	}
	v.Title, v.Worst = cmp.Or(strings.Join(titles, ", "), "all current"), watch.Current
	if len(v.Groups) > 0 {
		v.Worst = v.Groups[0].State
	}
	v.remember(h)
	v.Older = max(0, len(v.Entries)-mostEntries)
	v.Entries = v.Entries[:len(v.Entries)-v.Older]
}

// one has the view show one service.
func (v *view) one(s *status.Service, h status.History) {
	v.Title, v.Worst, v.Rows = s.Name+" "+string(s.State), s.State, s.Rows(v.Now)
	v.remember(h.About(s.Name))
}

func (v *view) remember(h status.History) {
	v.Day, v.Entries = dayOf(h, v.Now), h.Entries()
}
