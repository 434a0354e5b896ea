declare module "*.svelte" {
  const component: import("svelte").Component<{ told: (text: string) => void }>;
  export default component;
}
