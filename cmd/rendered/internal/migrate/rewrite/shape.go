package rewrite

// A kind says what a value of another program's template is, as far as that matters here.
type kind int

const (
	anything kind = iota
	oneText
	textList
	wholeList // of anything
	numberList
	vaultSecret
	vaultData   // its .Data, which of version 2 has .data and .metadata
	secretMap   // what it keeps
	pairs       // a list of pairs, each with .Key and .Value
	onePair     // one of them
	pairKey     // the .Key of a pair, where the other program gives a whole path
	pathMap     // what is below a path, in a map
	onePathPair // a key of it and its value
	wholeNumber // one of Go's whole numbers there, of which division leaves no fraction
	fraction    // one of Go's float64 there
	globPath    // a pattern that ended with /*, without it
)

// A shape is a kind with what is known of it.
type shape struct {
	kind kind
	// below is what stands before a .Key in the other program, as an expression; "" is nothing.
	below string
	short string // of a pairKey: the last part alone
	path  string // of a pathMap: the path, as an expression; of a vaultData that of version 2
	key   string // of a onePathPair: the variable of the key
	value string // and that of the value
}

// element gives what range finds in a value.
func (s shape) element() shape {
	switch s.kind {
	case textList:
		return shape{kind: oneText}
	case numberList:
		return shape{kind: wholeNumber}
	case pairs:
		return shape{kind: onePair, below: s.below}
	}
	return shape{}
}

// A value is an expression as it is written here.
type value struct {
	text  string
	form  form
	shape shape
	// literal is the text of a string that is written down, of printf the format.
	literal string
	written written
	rest    []value // the other arguments of printf
}

// A form says where an expression can stand.
type form int

const (
	atom     form = iota // as an argument
	command              // as an argument in parentheses
	pipeForm             // likewise; it has a |
)

// A written says what of a value is written down.
type written int

const (
	nothing written = iota
	whole           // all of it
	pattern         // it is printf, and the format is
)

// arg gives the expression as an argument.
func (v value) arg() string {
	if v.form == atom {
		return v.text
	}
	return "(" + v.text + ")"
}
