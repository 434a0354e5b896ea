/** A style sheet that the build puts into the script as text. */
declare module "*.inline.css" {
  const text: string;
  export default text;
}
