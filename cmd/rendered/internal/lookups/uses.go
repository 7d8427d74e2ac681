package lookups

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
)

// A use is one service's of what was asked about.
type use struct {
	service *config.Service
	files   []string // that have it, in the order of the config
	refs    []sources.Ref
	lookups []lookup
}

// Uses prints who uses what the words name, and what happens when it changes. It reports whether
// anybody does, and every service could be looked at. An error that is no fault.List is a mistake
// in the words.
func Uses(ctx context.Context, o plan.Options, words []string, asJSON bool, stdout, stderr io.Writer) (bool, error) {
	q, err := ask(words)
	if err != nil {
		return false, err
	}
	s, err := look(ctx, o)
	if err != nil {
		return false, err
	}
	uses := s.uses(q)
	near := []string{}
	if len(uses) == 0 {
		near = s.near(q)
	}
	switch {
	case asJSON:
		console.JSON(stdout, s.usage(q, uses, near))
	case s.isEmpty(stderr):
	case len(uses) == 0:
		console.Say(stderr, "nobody here uses "+q.text)
		for _, text := range near {
			console.Say(stderr, fmt.Sprintf("  did you mean %s?", text))
		}
	default:
		s.printUses(stdout, console.Width(stdout), q, uses)
	}
	if !asJSON {
		s.sayUnknown(stderr, q)
	}
	return s.explain(stderr) && len(uses) > 0, nil
}

// uses gives the services that use it.
func (s *survey) uses(q question) (list []use) {
	for _, l := range s.list {
		if !s.means(q, l) {
			continue
		}
		if len(list) == 0 || list[len(list)-1].service != l.service {
			list = append(list, use{service: l.service})
		}
		u := &list[len(list)-1]
		u.lookups = append(u.lookups, l)
		if !slices.Contains(u.files, l.file.Path) {
			u.files = append(u.files, l.file.Path)
		}
		if !slices.Contains(u.refs, l.Ref) {
			u.refs = append(u.refs, l.Ref)
		}
	}
	return list
}

// then says what happens when the files have changed.
func (u use) then() (list []string) {
	for _, action := range u.service.Notify {
		list = append(list, action.Name())
	}
	return list
}

// remarks says of the refs by which a service looks it up what a person would not expect.
func (u use) remarks(q question) (list []string) {
	for _, r := range u.refs {
		switch {
		case aws.IsPinned(r):
			list = append(list, "as "+r.String()+", which stays that version")
		case r.Text() != q.text && r.String() != q.text:
			list = append(list, "as "+r.String())
		}
	}
	return list
}

// printUses prints a line for each service where all of them fit, else a paragraph for each.
func (s *survey) printUses(w io.Writer, width int, q question, uses []use) {
	rows := make([][3]string, len(uses))
	var widths [3]int
	plain := true
	for i, u := range uses {
		then := "then " + strings.Join(u.then(), ", ")
		if len(u.then()) == 0 {
			then = "nobody is told"
		}
		rows[i] = [3]string{s.line(u.service.Place) + "  service " + u.service.Name, strings.Join(u.files, ", "), then}
		for j, cell := range rows[i] {
			widths[j] = max(widths[j], len(cell))
		}
		plain = plain && len(u.remarks(q)) == 0
	}
	const gap = 3
	oneLine := plain && widths[0]+gap+widths[1]+gap+widths[2] <= width
	for i, u := range uses {
		if oneLine {
			fmt.Fprintf(w, "%-*s   %-*s   %s\n", widths[0], rows[i][0], widths[1], rows[i][1], rows[i][2])
			continue
		}
		console.Say(w, rows[i][0])
		for _, line := range slices.Concat(u.remarks(q), u.files) {
			console.Say(w, "  "+line)
		}
		for _, name := range u.then() {
			console.Say(w, "  then "+name)
		}
		if len(u.then()) == 0 {
			fmt.Fprintln(w, "  nobody is told")
		}
	}
}

// mayBe gives the lookups that may be of it for all that is known.
func (s *survey) mayBe(q question) (list []lookup) {
	for _, l := range s.unknown() {
		if _, err := sources.ParseRef(l.Kind, q.ref); err == nil && q.takes(sources.Ref{Kind: l.Kind}) {
			list = append(list, l)
		}
	}
	return list
}

// sayUnknown says which lookups may be of it.
func (s *survey) sayUnknown(w io.Writer, q question) {
	list := s.mayBe(q)
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "of %s %s what is looked up:\n", console.Count(len(list), "lookup"), onlyTheRender)
	for _, l := range list {
		console.Say(w, fmt.Sprintf("  %s  %s  service %s", s.short(l.Place), l.name(), l.service.Name))
	}
}

// plain gives the name of a ref as a person remembers it: without a slash around it, or what AWS
// adds to it in an ARN.
func plain(r sources.Ref) string {
	name := r.Name
	switch {
	case r.Kind == sources.Param:
		name = sources.ParameterName(name)
	case r.Kind == sources.Secret && strings.HasPrefix(name, "arn:"):
		name = sources.SecretName(name)
	}
	return strings.Trim(name, "/")
}

// related tells whether one of two names is below the other, or the end of it.
func related(a, b string) bool {
	return a != "" && b != "" && (strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/") || strings.HasSuffix(a, "/"+b))
}

// mostNear is how many names are said to be like one that nobody uses.
const mostNear = 5

// near gives what is looked up and has a name that may be meant by one that nobody uses.
func (s *survey) near(q question) []string {
	list := []string{}
	asked := strings.Trim(q.name, "/")
	byName := make(map[string]string)
	for _, r := range s.refs() {
		byName[plain(r)] = r.String()
		if related(plain(r), asked) {
			list = append(list, r.String())
		}
	}
	like := byName[fault.Near(asked, slices.Sorted(maps.Keys(byName)))]
	if like != "" && !slices.Contains(list, like) {
		list = append(list, like)
	}
	return list[:min(len(list), mostNear)]
}
