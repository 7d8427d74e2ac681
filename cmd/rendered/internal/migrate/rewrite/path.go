package rewrite

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/sources"
)

// path rewrites an argument that is a path there, to one of Parameter Store.
func (r *rewriter) path(v value, pos parse.Pos) value {
	switch {
	case v.written == whole:
		return r.writtenPath(v.literal, pos)
	case v.written == pattern:
		return r.patternPath(v, pos)
	case v.shape.kind == globPath:
		v.shape = shape{}
	default:
		r.whole(v, pos)
	}
	switch prefix := r.prefix(); {
	case prefix != "":
		return value{text: fmt.Sprintf("print %q %s", prefix+r.slash(), v.arg()), form: command}
	case !r.o.Program.slash:
		return value{text: `print "/" ` + v.arg(), form: command}
	}
	return v
}

// prefix gives what stands before each path, "" for none.
func (r *rewriter) prefix() string { return strings.TrimSuffix(path.Join("/", r.o.Prefix), "/") }

// slash gives what stands between the prefix and a path.
func (r *rewriter) slash() string {
	if r.o.Program.slash {
		return ""
	}
	return "/"
}

// writtenPath rewrites a path that is written down.
func (r *rewriter) writtenPath(text string, pos parse.Pos) value {
	if i := strings.LastIndex(text, "@"); i >= 0 && !r.o.Program.slash {
		return r.refuse(pos, "%q names the datacenter %s; the parameter may be in another Region, as in {{ param \"ACCOUNT::/NAME\" }} with aws.accounts", text, text[i+1:])
	}
	name := path.Join("/", r.o.Prefix, text)
	if _, err := sources.ParseRef(sources.Param, name); err != nil && name != "/" {
		return r.refuse(pos, "%q: %v", text, err)
	}
	return value{text: strconv.Quote(name), shape: shape{kind: oneText}, literal: name, written: whole}
}

// patternPath rewrites a path that printf makes.
func (r *rewriter) patternPath(v value, pos parse.Pos) value {
	format := strings.TrimSuffix(v.literal, "/")
	switch {
	case !strings.HasPrefix(format, "/") && !strings.HasPrefix(format, "%"):
		format = "/" + format
	case strings.HasPrefix(format, "%") && (!r.o.Program.slash || r.prefix() != ""):
		format = r.slash() + format
	}
	v.rest = append([]value{{text: strconv.Quote(strings.ReplaceAll(r.prefix(), "%", "%%") + format)}}, v.rest...)
	return value{text: fill("printf $*", v.rest), form: command}
}

// below gives the path that a pattern of confd's is about, and what stands before the keys there.
func (r *rewriter) below(v value, pos parse.Pos) (of value, before string) {
	switch v = r.withoutStar(v); {
	case v.shape.kind == globPath && v.written == nothing:
		return r.path(v, pos), v.text + ` "/"`
	case v.shape.kind != globPath:
		return r.refuse(pos, "a pattern other than PATH/* is not here: paramChildren takes the path"), ""
	case v.written == whole:
		return r.path(v, pos), strconv.Quote(strings.TrimSuffix(path.Join("/", v.literal), "/") + "/")
	}
	rest := append([]value{{text: strconv.Quote(v.literal + "/")}}, v.rest...)
	return r.path(v, pos), "(" + fill("printf $*", rest) + ")"
}

// withoutStar takes the /* at the end of a pattern away, where it is written down and nothing else
// in it is a pattern.
func (r *rewriter) withoutStar(v value) value {
	if v.written == nothing || !strings.HasSuffix(v.literal, "/*") || strings.ContainsAny(strings.TrimSuffix(v.literal, "*"), `*?[\`) {
		return v
	}
	v.literal = strings.TrimSuffix(v.literal, "/*")
	v.shape = shape{kind: globPath}
	if v.written == whole {
		v.text = strconv.Quote(v.literal)
		return v
	}
	v.text = fill("printf $*", append([]value{{text: strconv.Quote(v.literal)}}, v.rest...))
	return v
}

// variable gives the name that the environment has for a key, as confd's backend of it does.
func (r *rewriter) variable(v value, pos parse.Pos) string {
	if v.written != whole {
		r.refuse(pos, "a name of a variable of the environment that is computed from a key")
		return ""
	}
	return strconv.Quote(strings.ToUpper(strings.ReplaceAll(strings.Trim(path.Join("/", r.o.Prefix, v.literal), "/"), "/", "_")))
}

// secret gives the name of a secret and the keys that lead into it, for a key of confd whose
// backend is Secrets Manager.
func (r *rewriter) secret(v value, pos parse.Pos) string {
	if v.written != whole {
		r.refuse(pos, "the name of a secret that is computed from a key")
		return ""
	}
	key := path.Join("/", r.o.Prefix, v.literal)
	name := ""
	for _, k := range r.o.Keys {
		if k = path.Join("/", r.o.Prefix, k); k == key || strings.HasPrefix(key, k+"/") {
			name = max(name, k)
		}
	}
	if name == "" {
		name = key
	}
	text := strconv.Quote(r.o.Name(name))
	if rest := strings.Trim(strings.TrimPrefix(key, name), "/"); rest != "" {
		text += " " + strconv.Quote(rest)
	}
	return text
}
