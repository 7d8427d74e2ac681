package funcs

import (
	"net/url"
	"strings"
)

// urlSafe are the characters that stand for themselves wherever they are in a URL (RFC 3986, 2.3).
const urlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// urlQuote writes one part of a URL, as a password or a segment of its path: all but letters,
// digits and - . _ ~ as %XX.
func urlQuote(value any) (string, error) {
	text, err := without("urlQuote", value, "\x00", "libpq and others take no zero byte in a URL")
	if err != nil {
		return "", err
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; strings.IndexByte(urlSafe, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String(), nil
}

// urlParse gives the parts of a URL as sprig names them, which urlJoin puts together again, and
// port, username and password, those decoded.
func urlParse(text string) (map[string]any, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, Error("urlParse: this is no URL; urlQuote writes a password so that it can stand in one")
	}
	password, _ := u.User.Password()
	m := map[string]any{
		"scheme": u.Scheme, "host": u.Host, "hostname": u.Hostname(), "port": u.Port(), "path": u.Path, "query": u.RawQuery,
		"opaque": u.Opaque, "fragment": u.Fragment, "userinfo": u.User.String(), "username": u.User.Username(), "password": password,
	}
	for _, part := range m {
		if err := textual("urlParse", part.(string)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// urlJoin is sprig's, which panics where a part is no text, and fails where userinfo is none.
func urlJoin(parts map[string]any) (string, error) {
	m := make(map[string]string)
	for key, value := range parts {
		part, ok := value.(string)
		if !ok {
			return "", &KeyError{keys: []string{key}, what: "urlJoin: %s is " + TypeName(value) + ", not a text"}
		}
		m[key] = part
	}
	u := url.URL{Scheme: m["scheme"], Host: m["host"], Path: m["path"], RawQuery: m["query"], Opaque: m["opaque"], Fragment: m["fragment"]}
	if info := m["userinfo"]; info != "" {
		with, err := url.Parse("proto://" + info + "@host")
		if err != nil || with.User == nil || with.User.String() != info {
			return "", Error("urlJoin: userinfo is not as NAME:PASSWORD; urlQuote writes each of them")
		}
		u.User = with.User
	}
	return u.String(), nil
}
