// Package console serves the web console under /console/.
//
// A page is a method func(p *page) error, added with c.page (GET) or c.form (POST) in one of the routes methods that New calls. It asks
// the API itself, in the process and as the caller that the session stands for (p.get, p.send), so that it can do nothing
// that the API does not allow, and answers with p.render, or after a change with p.redirect and a flash message. An error that it returns becomes
// an error page, or the sign-in page if the session has ended; what the API says of single fields is found with fieldErrors.
//
// Texts stand in locales/GROUP.LANGUAGE.toml, by keys, which p.T and p.N (with a number) translate. Templates are templ's
// (`make generate` compiles them); p is their first parameter. Scripts and styles are files under static/: the content security policy allows nothing
// inline, and no other host. p.static names them. Forms work without JavaScript; a script may only add to that.
package console
