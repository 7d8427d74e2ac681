package cases

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/internal/fault"
)

// A Format is how the results are written.
type Format string

const (
	Text   Format = "text"   // for people
	JUnit  Format = "junit"  // one document of XML, as CI systems read it
	GitHub Format = "github" // text, with what failed as annotations of GitHub's
)

// Formats are all there are.
var Formats = []string{string(Text), string(JUnit), string(GitHub)}

// Set sets the format to that of a name.
func (f *Format) Set(name string) error {
	if !slices.Contains(Formats, name) {
		return fmt.Errorf("it is one of %s", strings.Join(Formats, ", "))
	}
	*f = Format(name)
	return nil
}

func (f *Format) String() string { return string(*f) }

// Type names what a flag takes.
func (f *Format) Type() string { return "FORMAT" }

// print prints what came of the cases, and reports whether all passed.
func (r *runner) print(list []result, files int, stdout, stderr io.Writer) bool {
	cases, bad := 0, 0
	for _, one := range list {
		if one.name != "" {
			cases++
		}
		if len(one.faults) > 0 {
			bad++
		}
	}
	if r.Format == JUnit {
		_, _ = io.WriteString(stdout, junit(list)) // a write that fails has nobody to tell
		return bad == 0
	}
	for _, one := range list {
		r.printOne(one, stdout, stderr)
	}
	text := console.Count(cases, "case") + " in " + console.Count(files, "file")
	if bad > 0 {
		text += fmt.Sprintf(", %d failed", bad)
	}
	fmt.Fprintln(stdout, text)
	return bad == 0
}

func (r *runner) printOne(one result, stdout, stderr io.Writer) {
	if one.update != "" {
		fmt.Fprintf(stdout, "updated   %s\n", console.Relative(one.update))
	}
	if len(one.faults) == 0 && r.Verbose {
		fmt.Fprintf(stdout, "ok        %s: %s (%s)\n", one.file, one.name, one.took.Round(10*time.Microsecond))
	}
	for _, f := range one.named() {
		if r.Format == GitHub {
			fmt.Fprintln(stdout, console.Annotation{
				Severity: "error", File: f.Place.File, Line: f.Place.Line, Column: f.Place.Column,
				Title: "rendered test", Text: strings.Join(append([]string{f.What}, f.Hints...), "\n"),
			})
			continue
		}
		console.Faults(stderr, fault.List{f})
	}
}

// named gives what is wrong with the name of the case that it is of.
func (res result) named() (list fault.List) {
	for _, f := range res.faults {
		one := *f
		one.Place.File = console.Relative(f.Place.File)
		if res.name != "" {
			one.What = fmt.Sprintf("%q: %s", res.name, f.What)
		}
		list = append(list, &one)
	}
	return list
}

// The document that JUnit's task for Ant writes, as far as CI systems read it.
type (
	suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Suites   []*suite `xml:"testsuite"`
	}
	suite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Time     seconds    `xml:"time,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	testcase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		File    string   `xml:"file,attr"`
		Line    int      `xml:"line,attr,omitempty"`
		Time    seconds  `xml:"time,attr"`
		Failure *problem `xml:"failure"` // of a case
		Error   *problem `xml:"error"`   // of a file that cannot be used
	}
	problem struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	seconds time.Duration
)

// MarshalText writes it with three digits behind the point.
func (s seconds) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", time.Duration(s).Seconds()), nil
}

// junit gives the results as a document.
func junit(list []result) string {
	var all suites
	of := make(map[string]*suite)
	for _, res := range list {
		s := of[res.file]
		if s == nil {
			s = &suite{Name: res.file}
			of[res.file] = s
			all.Suites = append(all.Suites, s)
		}
		c := testcase{Class: res.file, Name: res.name, File: res.file, Line: res.place.Line, Time: seconds(res.took)}
		if len(res.faults) > 0 {
			p := &problem{Message: res.faults[0].What}
			for _, f := range res.faults {
				p.Text += f.Text()
			}
			if res.name != "" {
				c.Failure = p
				s.Failures++
				all.Failures++
			} else {
				c.Name, c.Error = "the file", p
				s.Errors++
				all.Errors++
			}
		}
		s.Tests++
		all.Tests++
		s.Time += seconds(res.took)
		s.Cases = append(s.Cases, c)
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil { // there is no text that it does not take
		return ""
	}
	return xml.Header + string(text) + "\n"
}
