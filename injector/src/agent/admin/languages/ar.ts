/**
 * The administrators' pages in Arabic.
 */

import { leftToRight } from "../../languages/ar.ts";
import { forms, spans } from "../../languages/forms.ts";
import type { AdminWords } from "../words.ts";

const span = spans("ar");
const number = (value: number) => value.toLocaleString("ar");
const sessions = forms("ar", {
  zero: "لا جلسات جارية",
  one: "جلسة جارية واحدة",
  two: "جلستان جاريتان",
  few: "# جلسات جارية",
  many: "# جلسة جارية",
  other: "# جلسة جارية",
});
const rules = forms("ar", {
  zero: "لا قواعد",
  one: "قاعدة واحدة",
  two: "قاعدتان",
  few: "# قواعد",
  other: "# قاعدة",
});
const files = forms("ar", { one: "ملف واحد", two: "ملفين", few: "# ملفات", many: "# ملفًا", other: "# ملف" });

export const arabic: AdminWords = {
  title: "الإدارة",
  back: "إلى وحدة التحكم",
  pages: "الصفحات",
  page: { sessions: "الجلسات", agents: "الموظفون", policies: "القواعد", health: "الحالة" },
  cancel: "إلغاء",
  span,
  number,
  sessions: {
    count: sessions,
    newest: (count) => `تُعرض أحدث الجلسات، وعددها ${number(count)}.`,
    none: "تظهر الجلسة هنا فور أن يبدأها عميل.",
    id: "الجلسة",
    state: "الوضع",
    since: "المدة",
    agent: "الموظف",
    page: "صفحة العميل",
    watched: (names) => `يشاهدها: ${names.join("، ")}`,
    states: {
      waiting: "في الانتظار",
      pointer: "إشارة",
      write: "كتابة",
      paused: "متوقفة مؤقتًا",
      customerAway: "العميل غائب",
      agentAway: "الموظف غائب",
    },
    end: "إنهاء",
    endOf: (id) => `إنهاء ${leftToRight(id)}`,
    endTitle: (id) => `هل تريد إنهاء الجلسة ${leftToRight(id)}؟`,
    endLead: "تنتهي فورًا للعميل والموظف، ويُبلَّغ كلاهما بأن أحد المسؤولين أنهاها.",
  },
  agents: {
    count: (here, all) => `المتصلون: ${number(here)} من ${number(all)}`,
    lead: "من هم في ملف الموظفين، ومن أدخلهم نظام آخر.",
    name: "الاسم",
    role: "الدور",
    roles: { agent: "موظف", supervisor: "مشرف", admin: "مسؤول" },
    logins: "عمليات الدخول",
    loggedIn: forms("ar", {
      one: "دخول واحد",
      two: "دخولان",
      other: "عمليات الدخول: #",
    }),
    sessions: "في جلسة",
    guest: "برمز أو رابط",
    logOut: "تسجيل الخروج",
    logOutOf: (name) => `تسجيل خروج ${name}`,
    logOutTitle: (name) => `هل تريد تسجيل خروج ${name}؟`,
    logOutLead: "تنتهي كل عمليات الدخول بهذا الاسم ويُغلق ما هو مفتوح فيها. يمكن الدخول من جديد بكلمة المرور.",
  },
  health: {
    well: "كل شيء على ما يرام",
    unwell: "هناك ما يستحق النظر",
    stopping: "الخادم قيد التوقف",
    lead: `للرسوم البيانية والتنبيهات، اجعل Prometheus يقرأ ${leftToRight("/metrics")}.`,
    version: "الإصدار",
    age: "يعمل منذ",
    sessions: "الجلسات الجارية",
    of: (count, limit) => `${count} من ${limit} على الأكثر`,
    memory: "الذاكرة",
    mebibytes: (count) => `${count} ميبيبايت`,
    policies: "ملفات القواعد",
    good: "سارية",
    broken: "فيها أخطاء",
    agentResyncs: "مشاهد أُعيدت بسبب التأخر",
    customerResyncs: "صفحات طُلبت من جديد",
    divergences: "نسخ اختلفت وأُصلحت",
  },
  policies: "القواعد",
  notAllowed: "المسؤولون وحدهم يمكنهم رؤية هذا.",
  noAnswer: "الخادم لا يستجيب. تجري إعادة المحاولة…",
  inForce: (rule, file, seconds) => `${rules(rule)} من ${files(file)}، سارية منذ ${span(seconds)}`,
  numbers: (live, taken, broken) =>
    `${sessions(live)}. منذ بدء الخادم، التغييرات المقبولة: ${number(taken)}، والمرفوضة: ${number(broken)}.`,
  brokenTitle: "في ملفات القواعد أخطاء",
  broken: "يبقى ما هو مبيّن أدناه ساريًا حتى تُصحَّح.",
  warnings: forms("ar", {
    one: "قاعدة واحدة تبدو غير مقصودة",
    two: "قاعدتان تبدوان غير مقصودتين",
    few: "# قواعد تبدو غير مقصودة",
    other: "# قاعدة تبدو غير مقصودة",
  }),
  holds: { sites: "الموقع", urls: "الصفحات", roles: "الأدوار", everywhere: "في كل مكان وللجميع" },
  maskedByDefault: "تحجب كل ما لا يُعرض صراحةً",
  overrides: "تخفف قيود الملفات السابقة",
  empty: "لا قواعد.",
  columns: { line: "السطر", kind: "القاعدة", what: "ما تحدده", matched: "المطابقات" },
  matchedLead:
    "تُعد المطابقات العناصر والصفحات المتوقفة والعناوين في الجلسات منذ سريان هذه القواعد. القاعدة التي لا تطابق شيئًا ربما فقدت صفحتها.",
};
