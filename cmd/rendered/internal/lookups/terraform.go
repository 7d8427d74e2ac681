package lookups

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources/aws"
)

// notInName are the characters that a name of Terraform does not have.
var notInName = lazyregexp.New(`[^A-Za-z0-9_-]+`)

// printTerraform writes policies as data sources of Terraform, below what a person must know.
func printTerraform(w io.Writer, policies []named, remarks fault.List, short func(fault.Place) string) {
	for _, f := range remarks {
		where := short(f.Place)
		if where != "" {
			where += ": "
		}
		fmt.Fprintf(w, "# %s%s\n", where, f.What)
		for _, hint := range f.Hints {
			fmt.Fprintf(w, "#   %s\n", hint)
		}
	}
	for i, p := range policies {
		if i > 0 || len(remarks) > 0 {
			fmt.Fprintln(w)
		}
		name := "rendered"
		if p.name != theOwn {
			name += "_" + notInName.ReplaceAllString(p.name, "_")
		}
		fmt.Fprintf(w, "# for %s\ndata \"aws_iam_policy_document\" %q {\n", p.who(), name)
		for j, s := range p.Statements {
			if j > 0 {
				fmt.Fprintln(w)
			}
			printStatement(w, s)
		}
		fmt.Fprintln(w, "}")
	}
}

func printStatement(w io.Writer, s aws.Statement) {
	fmt.Fprintf(w, "  statement {\n    sid = %q\n    actions = %s\n    resources = %s\n", s.Sid, listed(s.Action, "    "), listed(s.Resource, "    "))
	for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
			fmt.Fprintf(w, "\n    condition {\n      test     = %q\n      variable = %q\n      values = %s\n    }\n",
				operator, key, listed(s.Condition[operator][key], "      "))
		}
	}
	fmt.Fprintln(w, "  }")
}

// listed writes a list of texts, a line each, as terraform fmt does. None of an ARN's or an
// action's characters means more there than itself.
func listed(words aws.Words, indent string) string {
	var b strings.Builder
	b.WriteString("[\n")
	for _, word := range words {
		fmt.Fprintf(&b, "%s  %q,\n", indent, word)
	}
	b.WriteString(indent + "]")
	return b.String()
}
