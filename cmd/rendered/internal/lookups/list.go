package lookups

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// onlyTheRender is who finds a ref that the template alone does not tell.
const onlyTheRender = "only the render can tell"

// found says how what a lookup asks for is found.
func (l lookup) found() string {
	switch {
	case !l.isKnown():
		return "computed"
	case l.Written:
		return "written"
	}
	return "derived"
}

// name gives the ref, or as much of it as is known.
func (l lookup) name() string {
	if l.isKnown() {
		return l.Ref.String()
	}
	return string(l.Kind) + " ?"
}

// List prints every lookup of the services and files of these names, of all where there are none:
// where it stands, what it looks up and how that was found. It reports whether all of them are
// known. An error that is no fault.List is a mistake in the names.
func List(ctx context.Context, o plan.Options, names []string, asJSON bool, stdout, stderr io.Writer) (bool, error) {
	s, err := look(ctx, o)
	if err != nil {
		return false, err
	}
	chosen, err := s.chosen(names)
	if err != nil {
		return false, err
	}
	if asJSON {
		console.JSON(stdout, listing{Lookups: s.shownAll(chosen), Faulty: s.faulty()})
	} else if !s.isEmpty(stderr) {
		s.printLookups(stdout, console.Width(stdout), chosen)
	}
	return s.explain(stderr), nil
}

// chosen gives the lookups of the services and files of these names.
func (s *survey) chosen(names []string) ([]lookup, error) {
	if len(names) == 0 {
		return s.list, nil
	}
	known := slices.Concat(s.serviceNames(), s.paths())
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		what := fmt.Sprintf("there is no service or file %q", name)
		if near := fault.Near(name, known); near != "" {
			what += fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, fmt.Errorf("%s", what)
	}
	return slices.DeleteFunc(slices.Clone(s.list), func(l lookup) bool {
		return !slices.Contains(names, l.service.Name) && !slices.Contains(names, l.file.Path)
	}), nil
}

// printLookups prints services, below each its files, and below each of these its lookups.
func (s *survey) printLookups(w io.Writer, width int, list []lookup) {
	service, file := "", ""
	for i, l := range list {
		if l.service.Name != service {
			service, file = l.service.Name, ""
			fmt.Fprintf(w, "%s  service %s\n", s.line(l.service.Place), service)
		}
		if l.file.Path != file {
			file = l.file.Path
			fmt.Fprintf(w, "  %s\n", file)
			n := slices.IndexFunc(list[i:], func(other lookup) bool { return other.file != l.file })
			if n < 0 {
				n = len(list) - i
			}
			s.printFile(w, width, list[i:i+n])
		}
	}
	console.Say(w, summary(list))
}

// printFile prints the lookups of one file in three columns: where it stands, what it is, how that
// was found. What does not fit stands on a line of its own, below its place.
func (s *survey) printFile(w io.Writer, width int, list []lookup) {
	const indent, gap = 4, 2
	places, names, founds := 0, 0, 0
	for _, l := range list {
		places, founds = max(places, len(s.short(l.Place))), max(founds, len(l.found()))
	}
	for _, l := range list {
		if n := len(l.name()); n <= width-indent-places-gap-gap-founds {
			names = max(names, n)
		}
	}
	for _, l := range list {
		if len(l.name()) > names {
			fmt.Fprintf(w, "%*s%-*s  %*s  %s\n%*s%s\n", indent, "", places, s.short(l.Place), names, "", l.found(), indent+gap, "", l.name())
			continue
		}
		fmt.Fprintf(w, "%*s%-*s  %-*s  %s\n", indent, "", places, s.short(l.Place), names, l.name(), l.found())
	}
}

// summary counts lookups in a line.
func summary(list []lookup) string {
	services, refs := make(map[string]bool), make(map[sources.Ref]bool)
	unknown := 0
	for _, l := range list {
		services[l.service.Name] = true
		if refs[l.Ref] = true; !l.isKnown() {
			unknown++
		}
	}
	delete(refs, sources.Ref{})
	text := fmt.Sprintf("%s of %s in %s", console.Count(len(list), "lookup"), console.Count(len(refs), "ref"), console.Count(len(services), "service"))
	if unknown > 0 {
		text += fmt.Sprintf("; %d %s", unknown, onlyTheRender)
	}
	return text
}
