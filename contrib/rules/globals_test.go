package rules

import "go/ast"

// assigned is where functions of s assign to one of the names, which are its
// file's package-level variables. A local of the same name hides the global;
// scopes are not resolved, so a name that is declared anywhere in the function
// counts as local.
func assigned(s *source, names map[string]bool) []string {
	var places []string
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		local := locals(f)
		note := func(e ast.Expr) {
			for {
				switch x := e.(type) {
				case *ast.IndexExpr:
					e = x.X
				case *ast.SelectorExpr:
					e = x.X
				case *ast.Ident:
					if names[x.Name] && !local[x.Name] {
						places = append(places, s.at(x)+" ("+x.Name+")")
					}
					return
				default:
					return
				}
			}
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					note(e)
				}
			case *ast.IncDecStmt:
				note(n.X)
			}
			return true
		})
	}
	return places
}

// locals are the names that f declares anywhere: receiver, parameters, results,
// := and var.
func locals(f *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	fieldNames := func(l *ast.FieldList) {
		if l == nil {
			return
		}
		for _, field := range l.List {
			for _, name := range field.Names {
				names[name.Name] = true
			}
		}
	}
	fieldNames(f.Recv)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncType:
			fieldNames(n.Params)
			fieldNames(n.Results)
		case *ast.AssignStmt:
			if n.Tok.String() == ":=" {
				for _, e := range n.Lhs {
					if x, ok := e.(*ast.Ident); ok {
						names[x.Name] = true
					}
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if x, ok := e.(*ast.Ident); ok {
					names[x.Name] = true
				}
			}
		case *ast.ValueSpec:
			for _, x := range n.Names {
				names[x.Name] = true
			}
		}
		return true
	})
	return names
}
