package render

// Arity gives how many arguments a function of ours takes, and whether it takes more.
func Arity(name string) (least int, more, ok bool) {
	if signatures()[name] == nil {
		return 0, false, false
	}
	least, more = arity(name)
	return least, more, true
}

// FunctionNames gives every name that a template may call.
func FunctionNames() []string { return functionNames() }
