package breakdown

func letTrace() {}
