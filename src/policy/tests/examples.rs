//! The worked examples, each on a page of its own: what must be seen is seen, what must not is nowhere.

use std::sync::Arc;

use super::site::click;
use crate::dom::{Limits, NodeRef, Tree};
use crate::policy::{Masker, Policies, Preview, ResourceNames};
use crate::protocol::agent::Role;

const DEFAULT: &str = include_str!("../../../policies/default.toml");

struct Example {
    policies: Arc<Policies>,
    tree: Tree,
}

impl Example {
    fn new(text: &str, url: &str, html: &str) -> Example {
        let files = [("default.toml", DEFAULT), ("example.toml", text)];
        let policies = Policies::parse(&files).unwrap_or_else(|errors| panic!("{}", errors[0]));
        let warnings = policies.warnings();
        assert!(warnings.is_empty(), "{}", warnings[0]);
        let tree = Tree::from_html(html, url, Limits::default()).unwrap();
        Example { policies: Arc::new(policies), tree }
    }

    /// Every text with `SECRET` in it is hidden from the role, every one with `SEEN` is not.
    fn check(&self, role: Role) {
        let preview = Preview::of(&self.policies, &self.tree, role);
        assert!(!preview.contains("SECRET"), "{}", preview.html());
        let source = self.tree.document().with_descendants();
        let seen: Vec<&str> = source
            .filter_map(|node| match node.kind() {
                crate::dom::Kind::Text(data) if data.contains("SEEN") => Some(&**data),
                _ => None,
            })
            .collect();
        assert!(seen.len() > 2, "the page has something to see");
        for text in seen {
            assert!(preview.html().contains(text), "{text} in {}", preview.html());
        }
        for rule in preview.rules() {
            assert!(rule.file == "default.toml" || rule.count > 0, "the page does not exercise {rule:?}");
        }
    }

    fn may_click(&self, id: &str) -> bool {
        let names = ResourceNames::new([1; 32], "/r/");
        let mut masker = Masker::new(self.policies.clone(), Role::Agent, names);
        masker.view(&self.tree);
        let node = self.find(id).id();
        masker.permit(&self.tree, click(node), &Default::default()).is_ok()
    }

    fn find(&self, id: &str) -> NodeRef<'_> {
        super::site::find(&self.tree, id)
    }

    /// The same page at an address where sharing pauses.
    fn pauses_at(&self, text: &str, url: &str) {
        let paused = Example::new(text, url, "<h1>SEEN no more</h1>");
        assert!(!Preview::of(&paused.policies, &paused.tree, Role::Agent).contains("SEEN"), "{url}");
    }
}

#[test]
fn a_bank() {
    let text = include_str!("../../../policies/examples/bank.toml");
    let page = "<!doctype html><title>SECRET Ada's accounts</title><nav>SEEN menu</nav><h1>SEEN Accounts</h1><p>Hello SECRET Ada</p>\
        <p class=help>SEEN help</p><div class=balance title=SECRET>SECRET 1,284</div><span class=iban>SECRET DE89</span>\
        <table class=transactions><tr><th>SEEN Date<tr><td>SECRET 2 May</table><img src=/SECRET.png alt=SECRET>\
        <form><label for=tan>SEEN Code</label><input id=tan name=tan value=SECRET><button type=button id=approve>SEEN Approve</button>\
        <button type=button id=more>SEEN More</button></form><a id=out href=/banking/logout><h3>SEEN Log out</h3></a>";
    let bank = Example::new(text, "https://bank.test/banking/accounts", page);
    bank.check(Role::Agent);
    bank.check(Role::Supervisor);
    assert!(
        bank.may_click("more")
            && !bank.may_click("approve")
            && !bank.may_click("tan")
            && !bank.may_click("out")
    );
    bank.pauses_at(text, "https://bank.test/banking/documents/2026/statement");
}

#[test]
fn a_shop() {
    let text = include_str!("../../../policies/examples/shop.toml");
    let page = |address: &str| {
        format!(
            "<!doctype html><h1>SEEN Checkout</h1><p>SEEN Walking boots</p><form id=checkout><input name=card-number value='SECRET 4111'>\
             <input name=card-holder value=SECRET></form><p class=address title='{address}'>{address} Lane 1</p>\
             <code class=gift-card-code>SECRET-77</code><ul class=order-history><li>SEEN order<b class=total>SECRET 99</b></ul>\
             <form class=add-to-basket><button type=submit id=add>Add</button></form><form><button id=order>SEEN Order</button></form>\
             <a id=invoice href=/order/17/invoice.pdf>Invoice</a><a id=boots href=/boots>Boots</a>"
        )
    };
    let shop = Example::new(text, "https://shop.test/checkout", &page("SECRET"));
    shop.check(Role::Agent);
    let complaint = Example::new(text, "https://shop.test/checkout", &page("SEEN"));
    complaint.check(Role::Supervisor);
    assert!(
        shop.may_click("add")
            && shop.may_click("boots")
            && !shop.may_click("order")
            && !shop.may_click("invoice")
    );
}

#[test]
fn an_insurance_form() {
    let text = include_str!("../../../policies/examples/insurance.toml");
    let page = "<!doctype html><h1>SEEN Your claim</h1><p>SEEN What happened?</p><form><fieldset class=health><legend>SECRET Back</legend>\
        <input name=diagnosis value=SECRET><textarea name=doctor>SECRET Dr. No</textarea></fieldset><p class=summary>SECRET pain</p>\
        <input name=iban value=SECRET><input name=policy-number value=SECRET>\
        <div class=question><input class=private type=checkbox checked><p class=answer>SECRET at home</p></div>\
        <div class=question><input class=private type=checkbox><p class=answer>SEEN at work</p></div>\
        <button class=next id=next>SEEN Next</button><button id=submit-claim>SEEN Hand in</button></form>";
    let claim = Example::new(text, "https://insurance.test/claim/17", page);
    claim.check(Role::Agent);
    assert!(claim.may_click("next") && !claim.may_click("submit-claim"));
    claim.pauses_at(text, "https://insurance.test/claim/17/attachments");
}
